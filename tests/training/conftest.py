import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """A folder of four small synthetic photographs: smooth colours with edges across them."""
    folder = tmp_path_factory.mktemp("photos")
    rng = np.random.default_rng(5)
    for number in range(4):
        small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        photo = Image.fromarray(small).resize((72, 60), Image.Resampling.BICUBIC)
        stripes = np.asarray(photo).copy()
        stripes[:, :: 7 + number] //= 2
        Image.fromarray(stripes).save(folder / f"{number}.png")
    return folder
