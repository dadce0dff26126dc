"""Make the HEIC files of this folder: pip install pillow-heif==1.8.1, then python make.py.

The suite itself needs no encoder of HEVC, and has none: x265 is under the GPL.
"""

import numpy as np
import pillow_heif
from PIL import Image, ImageCms

XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta>'
)


def main() -> None:
    pillow_heif.register_heif_opener()
    y, x = np.mgrid[:48, :64]
    photo = np.stack([x * 4, y * 5, (x + y) * 2], -1).astype(np.uint8)
    image, lossless = Image.fromarray(photo), {"quality": -1, "chroma": 444}
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "Oma 1951", 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # Saved with an irot that says the same as this orientation.
    image.save(
        "turned.heic",
        exif=exif.tobytes(),
        xmp=XMP,
        icc_profile=profile,
        matrix_coefficients=0,
        **lossless,
    )
    # The second is the one to be shown.
    image.save(
        "pages.heic",
        quality=90,
        save_all=True,
        append_images=[image.rotate(180)],
        primary_index=1,
    )
    ten = np.stack([x * 16, y * 21, (x + y) * 9], -1).clip(0, 1023).astype(np.uint16) << 6
    deep = pillow_heif.from_bytes("RGB;16", (64, 48), ten.tobytes())
    deep.save("ten.heic", matrix_coefficients=0, **lossless)
    alpha = np.dstack([photo, (x * 4).astype(np.uint8)])
    Image.fromarray(alpha).save("alpha.heic", quality=95)
    Image.fromarray(photo[..., 0]).save("grey.heic", quality=95)


if __name__ == "__main__":
    main()
