"""Every plot that a lesson or `figures/` shows. Needs matplotlib (the extra `lab`).

A figure has no ground of its own: it stands on the page, be that white or JupyterLab's dark theme.
So its words and axes are of one mid grey, `INK`, which reads on both, and its colours are those of
Okabe and Ito, which readers with colour-blindness tell apart, the light ones darkened until a line
of them shows on white as well. No figure says anything by colour alone.
"""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image as PILImage
from PIL import ImageDraw, ImageFont

from liif_core.pixels import to_uint8

#: For lines and areas: a contrast of at least 3 : 1 on white and on JupyterLab's dark page.
BLUE, ORANGE, GREEN, RED, PURPLE, SKY = (
    "#0072B2",
    "#BC8600",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#3C96C8",
)
#: For words and axes: 4.5 : 1 on white, 4.2 : 1 on the dark page. No grey has 4.5 on both.
INK = "#767676"
#: For marks on top of a photo or inside an edge; on some page or other they would drown.
YELLOW, BLACK = "#F0E442", "#000000"
#: The four codes around a place, as the explorer's X-ray colours them; marks too, with a dark edge.
CODE_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7")
#: The strip behind names that are part of a picture, under white letters.
STRIP = "#595959"
#: Pixels per inch of every figure: what is n / DPI inches wide is n pixels wide on the page.
DPI = 110
#: Height in pixels of the names that `in_a_row` writes above pictures.
NAME_HEIGHT = 22
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

# Matplotlib gives a colour to words and axes when it makes them, wherever that is: so its own
# settings are the one place where all figures get theirs.
matplotlib.style.use(
    dict.fromkeys(("figure.facecolor", "axes.facecolor", "legend.facecolor"), "none")
    | dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "legend.edgecolor"), INK)
    | dict.fromkeys(("xtick.color", "ytick.color", "grid.color", "patch.edgecolor"), INK)
)


def new_figure(width: float = 8.0, height: float = 3.0) -> Figure:
    """Return an empty figure, in inches, that no global state holds on to."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def to_png(figure: Figure, dpi: int = DPI) -> bytes:
    """Return a figure as PNG bytes that do not depend on the time or the version."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
    return buffer.getvalue()


def to_image(array: np.ndarray) -> PILImage.Image:
    """Return (H, W, 3) or (H, W) as a Pillow image; floats in [0, 1] are clamped and rounded."""
    if np.issubdtype(array.dtype, np.floating):
        array = to_uint8(array)
    return PILImage.fromarray(np.ascontiguousarray(array))


def show(picture: Figure | np.ndarray | PILImage.Image, alt: str, width: int | None = None) -> None:
    """Show a figure or a picture in a lesson, with a text for readers who cannot see it.

    It is shown as HTML, the picture inside: of a PNG or JPEG output, JupyterLab and nbconvert
    both drop the alternative text, and a reader who listens would hear nothing.

    Args:
        picture: a figure; a Pillow image; or an array, (H, W, 3) or (H, W), uint8 or in [0, 1].
        alt: what the picture shows, in a sentence.
        width: on screen, in CSS pixels; the picture's own by default, less where the page is
            narrower.

    A figure is empty afterwards: its parts hold one another, and its pictures would stay in the
    kernel's memory until Python's collector comes by.

    Raises:
        ValueError: the alternative text is empty.
    """
    from IPython.display import HTML, display

    if not alt.strip():
        raise ValueError("a picture needs an alternative text: say what it shows")
    data, kind = smallest(picture)
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
    across = "" if width is None else f' width="{width}"'
    display(HTML(f'<img alt="{html.escape(alt)}"{across} src="{source}">'))
    if isinstance(picture, Figure):
        picture.clear()


def smallest(picture: Figure | np.ndarray | PILImage.Image) -> tuple[bytes, str]:
    """Return a picture as the bytes of a small file, and its kind: "webp" or "jpeg".

    Photographs are smaller as JPEG; lines, text and large square pixels as WebP without loss, which
    takes two thirds of a PNG. A figure is transparent, which JPEG cannot be: one with photographs
    in it becomes WebP with loss.
    """
    if isinstance(picture, Figure):
        png = to_png(picture)
        figure = PILImage.open(io.BytesIO(png))
        # The slowest method, 6, takes a second or two for what is transparent, and saves 1 %.
        lossy = encoded(figure, "WEBP", quality=90, method=5)
        # Lines and words stay sharp without loss; only photographs shrink as much as this.
        photographs = 2.5 * len(lossy) < len(png)
        return lossy if photographs else _exact(_in_palette(figure)), "webp"
    image = (to_image(picture) if isinstance(picture, np.ndarray) else picture).convert("RGB")
    exact = _exact(image)
    jpeg = encoded(image, "JPEG", quality=88, subsampling=0, optimize=True)
    return (exact, "webp") if len(exact) <= len(jpeg) else (jpeg, "jpeg")


def _exact(image: PILImage.Image) -> bytes:
    """Return an image as WebP, each pixel as it was; of invisible ones the colour may change."""
    return encoded(image, "WEBP", lossless=True, quality=80, method=4)


def _in_palette(figure: PILImage.Image) -> PILImage.Image:
    """Return a transparent figure in 256 shades, a third of the bytes.

    Or as it was, where shades would be seen to merge: lines and words have few colours, pictures
    many.
    """
    palette = figure.quantize(256, dither=PILImage.Dither.NONE).convert("RGBA")
    kept, whole = (np.asarray(image.convert("RGBA"), dtype=float) for image in (palette, figure))
    lost = kept[..., :3] * kept[..., 3:] - whole[..., :3] * whole[..., 3:]  # as far as it is seen
    return palette if np.abs(lost).mean() < 255 else figure


def encoded(image: PILImage.Image, kind: str, **options: Any) -> bytes:
    """Return a Pillow image as the bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def side_by_side(
    pictures: Mapping[str, np.ndarray],
    *,
    columns: int | None = None,
    size: float = 2.6,
    captions: Sequence[str] = (),
) -> Figure:
    """Return pictures in a row or grid, each under its name, pixels drawn as they are.

    Args:
        pictures: name -> (H, W, 3) or (H, W) array, uint8 or in [0, 1].
        columns: pictures per row; all in one row by default.
        size: width of one picture, in inches.
        captions: one line under each picture, for example its PSNR.
    """
    columns = columns or len(pictures)
    rows = -(-len(pictures) // columns)
    shape = next(iter(pictures.values())).shape
    tall = size * shape[0] / shape[1] + (0.55 if captions else 0.3)
    figure = new_figure(size * columns, tall * rows)
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for number, (axis, (name, picture)) in enumerate(zip(axes, pictures.items(), strict=False)):
        draw_picture(axis, picture, name)
        if captions:
            axis.set_xlabel(captions[number], fontsize=9)
    for axis in axes[len(pictures) :]:
        axis.set_axis_off()
    return figure


def grid(rows: Mapping[str, Mapping[str, np.ndarray]]) -> Figure:
    """Return pictures in labelled rows and columns, each of their pixels one pixel of the figure.

    Args:
        rows: row name -> column name -> (h, w, 3). Every row has the same columns; in a row the
            heights are the same, and the widths in the whole grid.
    """
    columns = list(next(iter(rows.values())))
    shapes = [next(iter(pictures.values())).shape for pictures in rows.values()]
    left, head, gap = (26 if any(rows) else 2), 28, 8
    wide = left + len(columns) * (shapes[0][1] + gap)
    tall = head + sum(shape[0] + gap for shape in shapes)
    figure = new_figure(wide / DPI, tall / DPI)
    figure.set_layout_engine("none")  # the pictures have their places
    top = head
    for (name, pictures), (height, width, _) in zip(rows.items(), shapes, strict=True):
        for number, (column, picture) in enumerate(pictures.items()):
            place = (left + number * (width + gap), tall - top - height, width, height)
            axis: Any = figure.add_axes(tuple(np.divide(place, (wide, tall, wide, tall))))
            draw_picture(axis, picture, column if top == head else "")
            axis.spines[:].set_visible(False)
            if number == 0:
                axis.set_ylabel(name, fontsize=10)
        top += height + gap
    return figure


def in_a_row(pictures: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return pictures side by side as one, pixel for pixel, each under its name: for a slider.

    Args:
        pictures: name -> (h, w, 3), uint8 or in [0, 1]; all of the same height.

    Returns:
        (`NAME_HEIGHT` + h, …, 3) uint8; 4 columns of the strip between two pictures.
    """
    images = [to_image(picture) for picture in pictures.values()]
    width = sum(image.width + 4 for image in images) - 4
    row = PILImage.new("RGB", (width, NAME_HEIGHT + images[0].height), STRIP)
    draw, font = ImageDraw.Draw(row), ImageFont.load_default(size=14)
    left = 0
    for name, image in zip(pictures, images, strict=True):
        row.paste(image, (left, NAME_HEIGHT))
        middle = (left + image.width / 2, NAME_HEIGHT / 2)
        draw.text(middle, name, font=font, fill="white", anchor="mm")
        left += image.width + 4
    return np.asarray(row)


def draw_picture(axis: Any, picture: np.ndarray, title: str = "") -> None:
    """Draw a picture into matplotlib axes: square pixels, no ticks, greys in true range."""
    if np.issubdtype(picture.dtype, np.floating):
        picture = picture.clip(0, 1)
    limits = {"vmin": 0, "vmax": 255 if picture.dtype == np.uint8 else 1}
    axis.imshow(picture, cmap="gray", interpolation="nearest", **limits)
    axis.set_title(title, fontsize=10)
    axis.set_xticks([])
    axis.set_yticks([])


def line_plot(
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x_label: str,
    y_label: str,
    title: str = "",
    size: tuple[float, float] = (7.0, 3.4),
    log_x: bool = False,
) -> Figure:
    """Return lines that differ in colour, marker and dash; name -> (x values, y values)."""
    figure = new_figure(*size)
    axis = figure.subplots()
    colours = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, INK)
    dashes = ("-", "--", "-.", ":")
    for number, (name, (x, y)) in enumerate(lines.items()):
        axis.plot(
            x,
            y,
            label=name,
            color=colours[number % len(colours)],
            linestyle=dashes[number % len(dashes)],
            marker=MARKERS[number % len(MARKERS)] if len(x) <= 40 else None,
            markersize=4,
        )
    axis.set(xlabel=x_label, ylabel=y_label, title=title)
    if log_x:
        axis.set_xscale("log")
    elif all(float(value).is_integer() for x, _ in lines.values() for value in x):
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))  # no step 2.5 of whole steps
    axis.grid(alpha=0.3)
    if len(lines) > 1:
        axis.legend(fontsize=9)
    return figure


def perception_plane(
    points: Mapping[str, tuple[float, float]],
    paths: Sequence[Sequence[str]],
    y_label: str,
    truth: str = "photographs",
    *,
    errors: Mapping[str, float] | None = None,
) -> Figure:
    """Return the perception–distortion plane (Blau and Michaeli 2018): how near, and how real.

    Args:
        points: method -> (PSNR in dB, how far it is from looking real).
        paths: methods that are joined by a line, in order; of these the ends alone are named.
        y_label: what the distance is.
        truth: what stands at distance 0, at any PSNR.
        errors: method -> standard error of the distance.
    """
    figure = new_figure(7.4, 4.2)
    axis = figure.subplots()
    for path in paths:
        axis.plot(*zip(*(points[name] for name in path), strict=True), "--", color=ORANGE)
    joined = {name for path in paths for name in path}
    for name, place in points.items():
        colour = ORANGE if name in joined else BLUE
        axis.plot(*place, "D" if name in joined else "o", color=colour, markersize=7)
        if errors:
            axis.errorbar(*place, errors[name], color=colour)
    # The ends of a path are named, the others above and below in turn: no name lies on another.
    for path in paths:
        _beside(axis, path[0], points[path[0]], (-8, 0), ha="right", va="center")
        _beside(axis, path[-1], points[path[-1]], (8, 0), ha="left", va="center")
    others = sorted((place, name) for name, place in points.items() if name not in joined)
    for number, (place, name) in enumerate(others):
        above = number % 2 == 0
        where = {"ha": "left" if errors else "center", "va": "bottom" if above else "top"}
        shift = (5 if errors else 0, 7 if above else -7)  # beside the bar of an error
        _beside(axis, name, place, shift, **where)
    axis.axhline(0, linestyle=":", color=GREEN)
    axis.text(0.01, 0.0, truth, transform=axis.get_yaxis_transform(), va="bottom", fontsize=9)
    axis.set(xlabel="PSNR (dB): nearer to the truth →", ylabel=y_label)
    axis.margins(x=0.25, y=0.15)
    axis.grid(alpha=0.3)
    return figure


def _beside(
    axis: Axes, name: str, place: tuple[float, float], shift: tuple[int, int], **how: Any
) -> None:
    axis.annotate(name, place, shift, textcoords="offset points", fontsize=9, **how)


def training_curves(rows: Sequence[Mapping[str, float]]) -> Figure:
    """Return a run's loss and its validation gain over bicubic, against the step.

    Args:
        rows: the lines of a run's `log.csv`: step, loss, and for each scale the mean PSNR in dB
            of the model and of bicubic interpolation, psnr_x2, bicubic_x2 ….
    """
    figure = new_figure(9.0, 3.4)
    left, right = figure.subplots(1, 2)
    steps = [row["step"] for row in rows]
    losses = [row["loss"] for row in rows]
    left.plot(steps, losses, color=BLUE, marker="o", markersize=3)
    # The logarithm of an error, as in the loss called "psnr", is below zero.
    left.set(yscale="log" if min(losses) > 0 else "linear")
    left.set(xlabel="step", ylabel="training loss", title="Loss")
    scales = [key.removeprefix("psnr_x") for key in rows[0] if key.startswith("psnr_x")]
    for number, scale in enumerate(scales):
        right.plot(
            steps,
            [row[f"psnr_x{scale}"] - row[f"bicubic_x{scale}"] for row in rows],
            color=(BLUE, ORANGE, GREEN, RED)[number % 4],
            marker=MARKERS[number % 4],
            markersize=3,
            label=f"×{scale}",
        )
    right.set(xlabel="step", ylabel="PSNR above bicubic (dB)", title="Validation")
    right.legend(loc="center left", bbox_to_anchor=(1, 0.5))  # within, it would hide a line
    for axis in (left, right):
        axis.xaxis.set_major_locator(MaxNLocator(5))  # steps are long numbers
        axis.grid(alpha=0.3)
    return figure
