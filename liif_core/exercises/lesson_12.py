"""The checkers of lesson 12, an old photo, really."""

import re
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from scipy.ndimage import gaussian_filter

from liif_core.exercises.outputs import number

#: By how many dB one set of weights must beat the other in exercise 2.
CLEAR = 0.1

#: The largest sensible value of each number of the lesson's `wear`; the least is 0.
MOST = {"blur": 20, "grain": 128, "noise": 128, "quality": 100}


def real_width(pixels: float) -> None:
    """Check exercise 1: a scan 3000 pixels wide whose detail ends at 0.2 cycles per pixel."""
    found = number(pixels, "the width")
    assert found != 3000, "that is the scan's own width; its last pixels hold no wave of the print"
    assert found != 600, (
        "600 waves fit across the print. Each wave needs more than one pixel: a light and a dark"
    )
    assert found != 7500, "that is larger than the scan: which way round does the ratio go?"
    assert found != 1500, "half of the pixels would do if the detail ended at 0.25"
    assert abs(found - 1200) < 1, (
        f"{found:g} is not it: how many waves of 0.2 cycles per pixel stand side by side on 3000 "
        "pixels, and how many pixels does each of them need?"
    )


def turning_point(
    clean: Mapping[str, float],
    worn: Mapping[str, float],
    gain: Callable[[Mapping[str, float]], float],
) -> None:
    """Check exercise 2: two kinds of wear, one number apart, on which other weights win.

    Args:
        clean: wear on which `liif-edsr` wins.
        worn: the same but for one number, and there `liif-edsr-photo` wins.
        gain: what `liif-edsr-photo` gains over `liif-edsr` on a print worn so, in dB.
    """
    for which, wear in (("clean", clean), ("worn", worn)):
        assert isinstance(wear, Mapping), f"`{which}` should stay a dictionary"
        assert set(wear) == set(MOST), f"`{which}` needs {', '.join(MOST)}, and nothing else"
        for name, most in MOST.items():
            value = number(wear[name], f"{name} of `{which}`")
            assert 0 <= value <= most, (
                f"{name} of `{which}` is {value:g}; it can be anything from 0 to {most}"
            )
    apart = [name for name in MOST if clean[name] != worn[name]]
    assert len(apart) == 1, (
        f"the two should differ in one number; yours differ in {len(apart)}: "
        f"{', '.join(apart) or 'none'}"
    )
    with_clean = float(gain(clean))
    assert with_clean <= -CLEAR, (
        f"on `clean`, liif-edsr-photo gains {with_clean:+.2f} dB; it should lose {CLEAR} dB or "
        "more. What is left on that print that one who saw clean photos only would trip over?"
    )
    with_worn = float(gain(worn))
    assert with_worn >= CLEAR, (
        f"on `worn`, liif-edsr-photo gains {with_worn:+.2f} dB; it should gain {CLEAR} dB or more. "
        f"Turn {apart[0]} further, or turn another number"
    )


def _grainy(
    sigma: float, clump: float, seed: int, side: int = 192, meadow: float = 0.75
) -> np.ndarray:
    """Draw a print with a calm sky, a slope, a house and a meadow, under grain in clumps."""
    dice = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    scene = np.where(y < 0.45, 190.0, 90 + 60 * x)
    scene[side // 4 : side * 3 // 4, side // 8 : side // 3] = 60
    scene += (y > meadow) * dice.normal(0, 30, scene.shape)
    grain = gaussian_filter(dice.normal(size=scene.shape), clump)
    scene += sigma * grain / grain.std()
    return scene.clip(0, 255).astype(np.float32)


def _prints() -> Iterator[tuple[float, str, np.ndarray]]:
    """Yield grainy prints: the grain's σ, what else is to be known of them, (H, W) of 0 to 255.

    No place is calm in all of them, a square may have no grain at all, and half may be scene: the
    meter has to find the calm places.
    """
    yield 6.0, "in clumps", _grainy(6.0, 0.8, 1)
    turned = np.rot90(_grainy(10.0, 1.2, 2), 2).copy()
    turned[:20, :20] = 255
    yield 10.0, "in clumps, the sky below and a corner burnt out", turned
    yield 4.0, "in clumps, half of it a meadow", _grainy(4.0, 0.8, 3, meadow=0.5)


def grain_of(answer: Callable[[np.ndarray], float]) -> None:
    """Check exercise 3: `answer(plane)` estimates how strong the grain in one channel is."""
    for sigma, more, plane in _prints():
        found = number(answer(plane.copy()), "the grain")
        where = f"a print with grain of {sigma:g}, {more}: you say {found:.2f}. "
        right = abs(found / sigma - 1) < 0.3
        step = np.diff(plane, axis=1)
        second = np.diff(np.diff(plane, 2, axis=0), 2, axis=1)
        from_steps = (np.median(np.abs(step)) / 0.6745 / np.sqrt(2), step.std() / np.sqrt(2))
        from_bends = (np.median(np.abs(second)) / 0.6745 / 6, second.std() / 6)
        blind = any(np.isclose(found, value, rtol=0.05) for value in (*from_steps, *from_bends))
        assert right or not blind, (
            where + "Differences of neighbours are blind to clumps: within one, neighbours are "
            "alike. Look at calm places as a whole instead"
        )
        assert right or not np.isclose(found, plane.std(), rtol=0.03), (
            where + "That is the contrast of the whole print, scene and all"
        )
        assert right or not np.isclose(found, sigma**2, rtol=0.3), (
            where + "That is near the variance; the standard deviation is its square root"
        )
        assert right, (
            where + "Within three tenths is near enough. Too large: does some of the scene get in? "
            "Too small: are the places smaller than a clump, chosen for being calm by chance, "
            "or burnt out?"
        )


#: What a caption must say, and by what words it is known.
SAYS = (
    (r"scan|print", "what was zoomed: a scan, a print"),
    (r"(?:×\s*10|10\s*(?:×|x\b|times|-?fold))|ten ?(?:times|-?fold)", "by how much: ×10"),
    (r"liif|\bai\b|network|neural|learned|model|software|program", "what drew it: LIIF"),
    (r"liif[- ]edsr|weights|trained", "with which weights"),
    (
        r"shr[iau]nk|reduced|scaled down|(?:made|resized) smaller|denois|smooth",
        "what was done before: shrunk, or smoothed",
    ),
    (
        r"guess|invent|estimat|plausib|not (?:evidence|recorded|in the)|may (?:be|not)|likel",
        "that fine detail is a guess",
    ),
    (
        r"original|archive|un(?:touched|zoomed|altered|changed|edited|processed|retouched|treated)",
        "where the untouched scan is",
    ),
)
#: What no caption may say of a zoom, but that it did not happen.
CLAIM = re.compile(
    r"restor\w+|recover\w+|reveal\w+|reconstruct\w+|brings? back|brought back|enhanc\w+|true detail"
)
DENIAL = re.compile(r"\b(no|not|nothing|never|none|neither|nor|cannot|without)\b[^.;:]*$")
#: What the scan does not say, and by what a sentence knows that.
UNPROVEN = re.compile(r"office|skyscraper|lighthouse|chimney")
DOUBT = re.compile(
    r"\b(?:no|not|nobody|cannot|can't|whether|may|might|could|perhaps|possibly|probably|likely)\b"
    r"|guess|estimat|invent|imagin|suppos|seem|unknown|uncertain|\?"
)


def caption(text: str) -> None:
    """Check exercise 4: a caption that says what was done, and claims nothing else."""
    assert isinstance(text, str), "the caption is a text, in quotes"
    assert text.strip(), "there is no caption yet: write two or three sentences"
    low = " ".join(text.lower().split())
    for claim in CLAIM.finditer(low):
        assert DENIAL.search(low[: claim.start()]), (
            f"“{claim[0]}” tells the reader that the detail was there. Say what was done, not what "
            "it looks like"
        )
    for sentence in re.split(r"(?<=[.!?;])\s", low):
        for thing in UNPROVEN.finditer(sentence):
            assert DOUBT.search(sentence), (
                f"“{thing[0]}”: is that in the scan? Say what the scan itself supports, or that "
                "this is a guess"
            )
    missing = [what for pattern, what in SAYS if not re.search(pattern, low)]
    assert not missing, f"a reader would ask: {'; '.join(missing)}?"
    assert len(text.split()) <= 90, (
        f"{len(text.split())} words: nobody reads so long a caption. Under 90"
    )
