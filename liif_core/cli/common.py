"""What several commands share: kinds of arguments, and options."""

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from liif_core.models import Model
    from liif_core.pixels import PixelBox

#: Where a command adds its parser.
Commands: TypeAlias = "argparse._SubParsersAction[Any]"


def add_model_options(parser: argparse.ArgumentParser) -> None:
    """Add what says which model computes, and where."""
    parser.add_argument(
        "--weights", default=None, help="a shipped name or a file; see weights list"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps")
    add_threads(parser)


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Add what says how many CPU cores a command may take; `threads` does as it says."""
    parser.add_argument(
        "--threads",
        type=a_count,
        metavar="N",
        help="of the CPU, at most (default: what this process may use)",
    )


@contextmanager
def threads(number: int | None) -> Iterator[None]:
    """Compute with so many threads of the CPU within this context; None: as many as there are."""
    if number is None:
        yield
        return
    import torch

    from liif_core import workers

    before = torch.get_num_threads()
    torch.set_num_threads(number)  # of training, whose operations are split
    try:
        with workers.limited_to(number):
            yield
    finally:
        torch.set_num_threads(before)


def model_from(options: argparse.Namespace, device: str) -> "Model":
    """Load the model that `add_model_options` lets choose."""
    from liif_core.weights import load_model

    return load_model(weights_name(options), device)


def weights_name(options: argparse.Namespace) -> str:
    """Return what was chosen, or the default's name."""
    from liif_core.weights import DEFAULT_MODEL

    return str(options.weights or DEFAULT_MODEL)


def a_scale(text: str) -> float:
    """Read a magnification as people write it: 12, 2.5, 2,5, 12x, x12 or ×12."""
    number = re.sub(r"^[x×]\s*|\s*[x×]$", "", text.strip().lower(), count=1)
    if re.fullmatch(r"\d+,\d{3}", number):
        raise argparse.ArgumentTypeError(
            f"'{text}' may mean a thousand or a fraction; write it without a comma"
        )
    try:
        return float(re.sub(r"^(\d*),(\d+)$", r"\1.\2", number))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not a number, as in 12, 2.5 or 12x"
        ) from None


def a_whole_scale(text: str) -> int:
    """Read a magnification that must be a whole number."""
    scale = a_scale(text)
    if not scale.is_integer():
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number, as in 2 or 4x")
    return int(scale)


def a_size(text: str) -> tuple[int, int]:
    """Read WIDTHxHEIGHT."""
    try:
        width, height = (int(part) for part in text.lower().split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is not WIDTHxHEIGHT, as in 4000x3000") from None
    return width, height


def a_box(text: str) -> "PixelBox":
    """Read LEFT,TOP,RIGHT,BOTTOM."""
    try:
        left, top, right, bottom = (int(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not LEFT,TOP,RIGHT,BOTTOM in pixels, as in 100,100,300,250"
        ) from None
    return left, top, right, bottom


def a_share(text: str) -> float:
    """Read a number from 0 to 1, as people write it: 0.7, .7, 0,7 or 70%."""
    number = text.strip().removesuffix("%").replace(",", ".")
    try:
        share = float(number) / (100 if "%" in text else 1)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 0 to 1, as 0.7")
    return share


def a_quality(text: str) -> int:
    """Read a number from 1 to 100."""
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 to 100")
    return int(text)


def a_seed(text: str) -> int:
    """Read a number that decides what is left to chance."""
    if not text.isdecimal() or int(text) >= 1 << 31:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 0 to {2**31 - 1:,}")
    return int(text)


def a_count(text: str) -> int:
    """Read a number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 on")
    return int(text)
