"""liif explain: a photo, its zoom and how it came about, in one file for a browser."""

import argparse
from pathlib import Path

from liif_core.cli.common import Commands, a_count, a_seed, add_threads, model_from, weights_name
from liif_core.errors import LiifError

#: A page is to be mailed: the small model has a third of the default's weights.
PAGE_MODEL = "liif-edsr-small"


def add_explain(commands: Commands) -> None:
    """Add the command to the parser."""
    explain = commands.add_parser(
        "explain",
        help="make one page, alive without Python, that shows how a photo is zoomed",
        description="Make one HTML file with the zoom explorer and the X-ray on a photo. It opens "
        "in any browser of today, from a disk or a mail, and needs no network: photo, weights and "
        "engine are inside.",
    )
    explain.add_argument("photo", type=Path, help="JPEG, PNG, TIFF, WebP and many more")
    explain.add_argument("-o", "--output", type=Path, help="default: beside the photo, NAME.html")
    explain.add_argument(
        "--text", action="store_true", help="add a caption, and in three parts how AI zooms"
    )
    explain.add_argument(
        "--page",
        type=a_count,
        default=1,
        metavar="N",
        help="of a TIFF's pages or an animation's frames, the one to show (default: %(default)s)",
    )
    explain.add_argument("--overwrite", action="store_true", help="replace an existing page")
    explain.add_argument(
        "--weights",
        default=PAGE_MODEL,
        help="a shipped name or a file; see weights list (default: %(default)s)",
    )
    explain.add_argument(
        "--seed",
        type=a_seed,
        metavar="N",
        help="for weights that invent details: which are shown at first (default: 0)",
    )
    add_threads(explain)
    explain.set_defaults(run=_explain)


def _explain(options: argparse.Namespace) -> None:
    output = options.output or options.photo.with_suffix(".html")
    if output.suffix.lower() not in (".html", ".htm"):
        raise LiifError(f"{output} must end in .html")
    from liif_core.files.publish import exists_already, publishing
    from liif_core.photos import photo_from, read_header

    if output.exists() and not options.overwrite:
        raise exists_already(output)
    header = read_header(options.photo, options.page)

    from liif_core.models import set_seed
    from liif_core.pages.explained import Subject, check_size, explained

    check_size(header.height, header.width)  # before anything is decoded
    photo = photo_from(options.photo, options.page)
    name = Path(weights_name(options)).stem
    model = model_from(options, "cpu")
    set_seed(model, options.seed)
    subject = Subject(photo, options.photo.stem, model, name)
    page = explained(subject, text=options.text)
    with publishing(output, overwrite=options.overwrite) as part:
        Path(part).write_text(page, encoding="utf-8")
    print(f"{output}: written, {output.stat().st_size / 1e6:.1f} MB")
