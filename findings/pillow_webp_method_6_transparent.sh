#!/usr/bin/env bash
# WebP's `method`, 0 (fast) to 6 (slow), trades time for size. For an opaque picture the last step, from 5 to 6, costs at most some
# twice the time. For one with transparency, a chart on no ground for example, it costs some thirty times as long and saves about
# one byte in a hundred: also where colours are compressed with loss, the alpha channel is by another coder, without, and `method` is
# its effort, too. So "slowest is smallest, and not much slower" holds until the first transparent figure; there 5 is the better choice.
#
# The check is a ratio of processor times in one process, far from its bounds.
#
# Output seen on 2026-11-29, Linux x86-64, Python 3.11:
#   Pillow 13.0.0, libwebp 1.6.0
#   opaque: method 6 takes 1 times as long as 5, and saves 0.9 % of the bytes
#   transparent: method 6 takes 28 times as long as 5, and saves 1.5 % of the bytes
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check --no-deps pillow==13.0.0 2>/dev/null
venv/bin/python - <<'PYTHON'
import io
import math
import time

import PIL
from PIL import Image, ImageDraw, features

print(f"Pillow {PIL.__version__}, libwebp {features.version('webp')}")


def chart() -> Image.Image:
    """Curves and a noisy photograph on a transparent ground, smooth at their edges."""
    picture = Image.new("RGBA", (2000, 1400), (255, 255, 255, 0))
    draw = ImageDraw.Draw(picture)
    for k in range(1, 9):
        curve = [(x, 700 + 600 * math.sin(x / 60 / k + k) / k) for x in range(0, 2000, 4)]
        draw.line(curve, fill=(20 * k, 60, 200 - 20 * k, 255), width=4)
    picture.paste(Image.effect_noise((800, 600), 80).convert("RGBA"), (1100, 100))
    return picture.resize((1000, 700), Image.Resampling.LANCZOS)


transparent = chart()
opaque = Image.alpha_composite(Image.new("RGBA", transparent.size, "white"), transparent).convert("RGB")
ratios = {}
for name, picture in (("opaque", opaque), ("transparent", transparent)):
    seconds, size = {}, {}
    for method in (5, 6):
        file, start = io.BytesIO(), time.process_time()
        picture.save(file, "WEBP", quality=90, method=method)
        seconds[method], size[method] = time.process_time() - start, len(file.getvalue())
    ratios[name] = seconds[6] / seconds[5]
    saved = 100 * (1 - size[6] / size[5])
    print(f"{name}: method 6 takes {ratios[name]:.0f} times as long as 5, and saves {saved:.1f} % of the bytes")
assert ratios["transparent"] > 8 and ratios["transparent"] > 4 * ratios["opaque"], ratios
PYTHON
