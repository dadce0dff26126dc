"""The log of a run, a CSV file with one line for each validation, and its curves."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from liif_core.files.publish import publishing


class Log:
    """The run's CSV log; lines after `step` (from a run that was cut off) are dropped.

    With none left it begins anew, header and all.
    """

    def __init__(self, path: Path, step: int) -> None:
        self.path = path
        lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
        kept = [line for line in lines[1:] if int(line.split(",")[0]) <= step]
        self.text = "".join(f"{line}\n" for line in lines[:1] + kept) if kept else ""
        write_text(path, self.text)

    def add(
        self,
        step: int,
        seconds: float,
        loss: float,
        rate: float,
        psnr: dict[int, float],
        bicubic: dict[int, float],
        more: Mapping[str, float] | None = None,
    ) -> None:
        """Append one validation: PSNR of the model and of bicubic interpolation, in dB.

        `more` are further columns, the same in every line.
        """
        row: dict[str, Any] = {
            "step": step,
            "hours": f"{seconds / 3600:.3f}",
            "loss": f"{loss:.6f}",
            "rate": f"{rate:.3e}",
        }
        row |= {f"psnr_x{scale}": f"{value:.4f}" for scale, value in psnr.items()}
        row |= {f"bicubic_x{scale}": f"{value:.4f}" for scale, value in bicubic.items()}
        row |= {name: f"{value:.4f}" for name, value in (more or {}).items()}
        lines = io.StringIO()
        writer = csv.DictWriter(lines, row, lineterminator="\n")
        if not self.text:
            writer.writeheader()
        writer.writerow(row)
        self.text += lines.getvalue()
        write_text(self.path, self.text)

    def draw(self, path: Path) -> None:
        """Draw loss and validation gain over bicubic against the step, as PNG."""
        try:
            from liif_core.figures import training_curves
        except ImportError:  # matplotlib is an extra; the log is there without it
            return
        rows = [
            {key: float(value) for key, value in row.items()}
            for row in csv.DictReader(io.StringIO(self.text))
        ]
        with publishing(path) as part:
            training_curves(rows).savefig(part, dpi=110, format="png")


def write_text(path: Path, text: str) -> None:
    """Write a text file in one step.

    Raises:
        LiifError: it cannot be written; an older one stays as it was.
    """
    with publishing(path) as part:
        Path(part).write_text(text, encoding="utf-8", newline="\n")
