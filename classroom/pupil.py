"""Start a pupil's server: JupyterHub runs this in the pupil's name, instead of its own command.

It makes or renews the pupil's copy of the course, in their home folder, sets the limit that no
process of theirs can pass, and becomes `jupyterhub-singleuser` in that copy.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path

#: The name of the copy in a pupil's home folder.
COPY = "how_does_ai_zoom"


def main() -> None:
    """Do it. What goes wrong is told in the hub's log, and the pupil's server does not start."""
    set_limit()
    course = Path.home() / COPY
    if subprocess.run([sys.executable, "-m", "liif_core", "course", str(course)]).returncode:
        sys.exit(f"{course}: no copy of the course, so no server; the line above says why")
    os.chdir(course)
    # The copy's settings of JupyterLab, before the pupil's own.
    paths = [str(course), *filter(None, [os.environ.get("JUPYTER_CONFIG_PATH")])]
    os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join(paths)
    os.execv(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", *sys.argv[1:]])


def set_limit() -> None:
    """Let this process, and each that it starts, hold no more than JupyterHub's `mem_limit`.

    Linux counts what a process has asked for of its own (RLIMIT_DATA), not the pages of libraries,
    which it shares with all others. Who asks for more gets an error in the cell; the kernel lives.
    """
    if limit := os.environ.get("MEM_LIMIT"):
        resource.setrlimit(resource.RLIMIT_DATA, (int(limit), int(limit)))


if __name__ == "__main__":
    main()
