"""Memory that is done with goes back to the system."""

import platform
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

#: Large blocks between small ones that live on are freed; how many MiB were, and are, held beyond
#: what was before? glibc takes the first one as a measure of what is large.
GIVEN_BACK = (
    "import re\n"
    "import numpy as np\n"
    "def held():\n"
    "    rollup = open('/proc/self/smaps_rollup').read()\n"
    "    return int(re.search(r'Anonymous: *(\\d+)', rollup)[1]) / 1024\n"
    "del (first := [np.ones(30 << 20, np.uint8)])[:]\n"
    "before, large, small = held(), [], []\n"
    "for _ in range(10):\n"
    "    large.append(np.ones(5 << 20, np.uint8)); small.append(bytearray(100_000))\n"
    "most = held()\n"
    "large.clear()\n"
    "print(round(most - before), round(held() - before))\n"
)

#: What asks for that.
ASKING = {
    "a notebook": "from liif_core import workers; workers.keep_torch_to_one_thread()\n",
    "liif zoom": "from liif_core.__main__ import main\n"
    "assert main(['zoom', 'photo.png', '--scale', '2', '--device', 'cpu']) == 0\n",
}


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs GNU's C library")
@pytest.mark.parametrize("who", ASKING)
def test_large_blocks_go_back_to_the_system(who, tmp_path):
    Image.fromarray(np.full((9, 8, 3), 99, np.uint8)).save(tmp_path / "photo.png")
    command = [sys.executable, "-c", ASKING[who] + GIVEN_BACK]
    found = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=tmp_path)
    assert not found.returncode, found.stderr
    most, after = map(int, found.stdout.split()[-2:])
    assert most >= 50
    assert after <= 8
