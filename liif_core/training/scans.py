"""Inputs nearer to scans of old prints, and what a recipe's `degrade` may name.

How much is done to a pair is drawn first: one in five stays as it is, so that clean photos stay
clean; of the others most are worn a little and few a lot. As with `degrade.fade`, how bright and of
which tint a colour was is changed in input and target alike; what is to be taken back, in the input
alone.
"""

import numpy as np

from liif_core.training.degrade import Degradation, fade, film_grain, jpeg, to_uint8, wear

#: Share of the inputs to which nothing is done.
CLEAN = 0.2

#: Shares of the inputs that `mixed` leaves as they are, blurs alone, wears and scans.
MIXTURE = (0.2, 0.15, 0.45, 0.2)

#: Angles of the screens that a press prints red, green and blue with (as cyan, magenta, yellow).
SCREEN_ANGLES = (15.0, 75.0, 0.0)


def age(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Fade one in three, and make one in four a black-and-white or sepia print."""
    if rng.random() < 0.25:
        tint = np.array([1.0, 1.0, 1.0]) + rng.uniform(0, 1) * np.array([0.08, -0.02, -0.18])
        light = picture @ np.array([0.299, 0.587, 0.114])
        picture = to_uint8(light[..., None] * tint)
    return fade(picture, rng)


def scan(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur, print, lay on paper, grain, noise, JPEG: each in a share of the inputs, in this order.

    Args:
        picture: (H, W, 3) uint8.
        rng: decides what is done and how much.
    """
    if rng.random() < CLEAN:
        return picture
    severity = rng.uniform() ** 2
    if rng.random() < 0.6:
        picture = blur(picture, rng.uniform(0.2, 0.4 + 1.4 * severity), rng)
    if rng.random() < 0.15:
        picture = print_screen(picture, rng.uniform(0.1, 0.2 + 0.5 * severity), rng)
    if rng.random() < 0.25:
        picture = paper(picture, rng.uniform(0.005, 0.01 + 0.05 * severity), rng)
    if rng.random() < 0.35:
        picture = film_grain(picture, rng.uniform(1, 3 + 13 * severity), rng.uniform(0.4, 0.9), rng)
    if rng.random() < 0.6:
        picture = light_noise(picture, rng.uniform(0.5, 2 + 14 * severity), rng)
    if rng.random() < 0.7:
        worst = round(92 - 55 * severity)
        for _ in range(1 + (rng.random() < 0.4)):  # saved once, or sent and saved again
            picture = jpeg(picture, int(rng.integers(worst, 97)), rng.integers(8, size=2))
    return picture


def mixed(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Do what `MIXTURE` says: nothing, blur alone, `wear` or `scan`.

    A network that has to take back noise and JPEG leaves clean photos and merely soft ones alone
    only if it sees enough of both.
    """
    kind = rng.choice(len(MIXTURE), p=MIXTURE)
    if kind == 0:
        return picture
    if kind == 1:
        return blur(picture, rng.uniform(0.2, 1.5), rng)
    return wear(picture, rng) if kind == 2 else scan(picture, rng)


def blur(picture: np.ndarray, size: float, rng: np.random.Generator) -> np.ndarray:
    """Blur by a kernel that nobody knows: a disc out of focus, a shake, or a slanted Gaussian.

    Args:
        picture: (H, W, 3) uint8.
        size: standard deviation of the kernel along its longer axis, in pixels, at most 3.
        rng: the kernel's shape and direction.
    """
    from scipy.ndimage import convolve

    reach = np.arange(-6, 7)
    y, x = np.meshgrid(reach, reach, indexing="ij")
    angle, shape = rng.uniform(0, np.pi), rng.integers(3)
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    if shape == 0:  # a disc of radius r has a standard deviation of r / 2 along each axis
        kernel = np.clip(2 * size + 0.5 - np.hypot(x, y), 0, 1)
    elif shape == 1:  # a line of length l: l / √12
        length = np.clip(np.sqrt(3) * size + 0.5 - np.abs(along), 0, 1)
        kernel = length * np.exp(-0.5 * (across / 0.4) ** 2)
    else:
        narrow = size * rng.uniform(0.3, 1)
        kernel = np.exp(-0.5 * ((along / size) ** 2 + (across / narrow) ** 2))
    kernel /= kernel.sum()
    channels = [
        convolve(picture[..., c].astype(np.float32), kernel, mode="nearest") for c in range(3)
    ]
    return to_uint8(np.stack(channels, axis=-1))


def print_screen(picture: np.ndarray, depth: float, rng: np.random.Generator) -> np.ndarray:
    """Print in dots: each channel's screen at its own angle, strongest in the mid-tones.

    Args:
        picture: (H, W, 3) uint8.
        depth: of the screen: 0 none, 1 from black to white in mid-grey.
        rng: distance of the dots (2.5 … 6 pixels), the sheet's turn and place.
    """
    pitch, turn = rng.uniform(2.5, 6), rng.uniform(0, 90)
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]] + rng.uniform(0, 6, (2, 1, 1))
    light = picture.astype(np.float32) / 255
    dots = []
    for angle in SCREEN_ANGLES:
        c, s = (f(np.deg2rad(angle + turn)) * 2 * np.pi / pitch for f in (np.cos, np.sin))
        dots.append((np.cos(x * c + y * s) + np.cos(y * c - x * s)) / 2)
    screen = np.stack(dots, axis=-1).astype(np.float32)
    return to_uint8(255 * (light + depth * screen * 2 * light * (1 - light)))


def paper(picture: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Lay on structured paper: its relief, lit from one side, makes all channels lighter or darker.

    Args:
        picture: (H, W, 3) uint8.
        strength: standard deviation of the lightness, as a share of it.
        rng: relief and direction of the light.
    """
    from scipy.ndimage import gaussian_filter

    relief = gaussian_filter(rng.normal(size=picture.shape[:2]), rng.uniform(0.7, 2.5), mode="wrap")
    down, across = np.gradient(relief)
    angle = rng.uniform(0, 2 * np.pi)
    lit = down * np.sin(angle) + across * np.cos(angle)
    lit *= strength / max(lit.std(), 1e-9)
    return to_uint8(picture * (1 + lit[..., None]))


def light_noise(picture: np.ndarray, sigma: float, rng: np.random.Generator) -> np.ndarray:
    """Add a sensor's noise: its variance grows with the light (photons), from a floor (reading).

    Args:
        picture: (H, W, 3) uint8.
        sigma: standard deviation in mid-grey, of 255.
        rng: the noise, and the floor's share of its variance.
    """
    floor = rng.uniform(0.1, 0.9)
    deviation = sigma * np.sqrt(floor + (1 - floor) * picture / 127.5)
    return to_uint8(picture + deviation * rng.normal(size=picture.shape))


#: What a recipe's `degrade` may name.
DEGRADATIONS: dict[str, Degradation | None] = {
    "none": None,
    "photo": Degradation(fade, wear),
    "scan": Degradation(age, scan),
    "mixed": Degradation(fade, mixed),
}
