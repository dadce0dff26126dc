"""Does a crisp zoom of letters say what was written? How often, by how tall the letters were.

Plates of random letters, black on white, are photographed so small that a capital is 3 to 7 pixels
tall, and each is imagined anew by several seeds. A seed is right where it reads as the true plate
does, letter by letter (`plates.read_plate`, which knows the font and where the letters stand).

    python benchmarks/letters.py                     # a table
    python benchmarks/letters.py --weights FILE      # of a training run
    python benchmarks/letters.py --quick             # does it work? Its numbers mean nothing

Columns: letters and whole words read rightly; how crisp the zooms are (the share of pixels that are
ink or paper, beside the true plate's); and what is left between the zoom, photographed again, and
the small plate, beside the true plate's, which is the camera's noise.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np

from liif_core.companions.letters import STEPS, WEIGHTS, Letters, imagine, load_letters
from liif_core.companions.plates import MONOSPACED, photographed, random_plate, read_plate, small
from liif_core.weights import weights_folder

HEIGHTS = (3, 3.5, 4, 4.5, 5, 5.5, 6, 7)


class Found(NamedTuple):
    """Of one plate's zooms: the shares, and the ratios to the true plate."""

    letters: float
    words: float
    crisp: float
    apart: float


def crispness(picture: np.ndarray) -> float:
    """Return the share of pixels that are ink or paper, 0.1 and 0.9, to a fifth of their step."""
    return float((np.minimum(np.abs(picture - 0.1), np.abs(picture - 0.9)) < 0.16).mean())


def try_plate(model: Letters, height: float, number: int, seeds: int, steps: int) -> Found:
    """Imagine plate `number` of a height by so many seeds."""
    rng = np.random.default_rng([round(height * 10), number])
    plate = random_plate(rng, height=height, fonts=MONOSPACED, plain=True)
    true = plate.drawn()
    seen = photographed(true, rng)
    zooms = imagine(model, seen, range(seeds), steps)
    read = [read_plate(zoom, plate) for zoom in zooms]
    right = [[a == b for a, b in zip(text, plate.text, strict=True)] for text in read]

    def apart(pictures: np.ndarray) -> float:
        return float(np.sqrt(np.square(small(pictures) - seen).mean()))

    return Found(
        float(np.mean(right)),
        float(np.mean([all(one) for one in right])),
        float(np.mean([crispness(zoom) for zoom in zooms])) / crispness(true),
        apart(zooms) / apart(true),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", type=Path, default=weights_folder() / WEIGHTS)
    parser.add_argument("--plates", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    model = load_letters(options.weights)
    plates, seeds, steps = (1, 2, 4) if options.quick else (options.plates, options.seeds, STEPS)
    print(f"{plates} plates of each height, {seeds} seeds each")
    print("| letters, pixels tall | letters right | words right | crisp | apart |")
    print("|-|-|-|-|-|")
    for height in HEIGHTS:
        found = [try_plate(model, height, number, seeds, steps) for number in range(plates)]
        letters, words, crisp, apart = np.mean(found, axis=0)
        print(
            f"| {height:g} | {letters:.0%} | {words:.0%} | {crisp:.2f} | {apart:.2f} |", flush=True
        )


if __name__ == "__main__":
    main()
