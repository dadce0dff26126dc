# make lab   set everything up, make your own copy of the course, and open its first lesson
# make test  the same set-up, then every check and test, lessons included
# make site  build the course as static pages that live without Python, in site/
# make handouts  two pages to print and some slides for each lesson, and the answers, in handouts/
# make bench measure speed and memory
# make kernel  build the browser engine's kernel anew (needs Debian 12's clang-19 and lld-19)
#
# PYTHON=python3.12 chooses the Python that .venv is made with; LAB_ARGS=--no-browser is for JupyterLab;
# COURSE=DIR is where your copy of the course lies.

PYTHON ?= python3
COURSE ?= my_course
BIN := .venv/bin
# Does what make cannot on Windows; see what it says itself.
SETUP := $(PYTHON) setup_lab.py

.PHONY: lab test python setup setup-test site handouts figures lessons bench kernel

python:
	@command -v $(PYTHON) >/dev/null || \
	    { echo "no $(PYTHON) here; install Python 3.10 or newer, or name one: make PYTHON=python3.12" >&2; exit 2; }

setup: python
	@$(SETUP) setup

setup-test: python
	@$(SETUP) setup --test

lab: python
	@$(SETUP) lab --course $(COURSE) $(LAB_ARGS)

test: python
	@$(SETUP) test

# The course for any browser: open site/index.html, or hand the folder out by any file server.
site: setup
	$(BIN)/python website/build.py

# Sheets for a class without computers, and slides: HTML, and PDF of the sheets where a Chromium, Chrome or Edge is.
handouts: setup
	$(BIN)/python website/handouts.py

# Rebuild the pictures of README and lessons; the screenshots among them need Chromium.
figures: setup-test site
	$(BIN)/python figures/make_figures.py
	$(BIN)/python website/shots.py
	LIIF_FIGURES=$(CURDIR)/figures $(BIN)/pytest -q tests/browser -k screenshots

# Run every lesson and solution again and keep what they show.
lessons: setup
	@# Each makes its my_liif.py in a folder of its own: nobody's is read or changed.
	for notebook in notebooks/*.ipynb notebooks/solutions/*.ipynb; do \
	    MY_LIIF=$$(mktemp -d) $(BIN)/jupyter nbconvert --to notebook --execute --inplace \
	        --ExecutePreprocessor.record_timing=False $$notebook || exit 1; \
	done
	$(BIN)/python -m liif_core.widgets.keep_stills notebooks/*.ipynb notebooks/solutions/*.ipynb

# Measure speed and memory on a quiet machine: minutes to an hour. Fails if a ratio got worse.
bench: setup-test
	@status=0; for program in benchmarks/*.py; do \
	    echo "$$program"; $(BIN)/python $$program || status=1; \
	done; exit $$status

# The kernel of the engine in the browser, twice: with SIMD, and with relaxed SIMD too, for browsers that
# have it. Both are checked in, so that nobody needs a compiler for them; a test builds them again where
# this clang is. The short PATH hides any wasm-opt, which clang would run.
ENGINE := liif_core/widgets/static/engine
KERNEL := $(ENGINE)/kernel.c $(ENGINE)/kernel_heat.c $(ENGINE)/kernel_noise.c
BUILT := $(ENGINE)
CLANG := PATH=/usr/bin:/bin clang-19 --target=wasm32 -nostdlib -msimd128 -mbulk-memory -O3 -Wall -Wextra \
    -Werror -fvisibility=hidden -Wl,--no-entry -Wl,--export-dynamic -Wl,--export=__heap_base \
    -Wl,--import-memory -Wl,--strip-all -Wl,-z,stack-size=16384

kernel:
	$(CLANG) -o $(BUILT)/kernel.wasm $(KERNEL)
	$(CLANG) -mrelaxed-simd -o $(BUILT)/kernel_relaxed.wasm $(KERNEL)
	chmod 644 $(BUILT)/kernel.wasm $(BUILT)/kernel_relaxed.wasm
