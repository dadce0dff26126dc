"""What tripped a newcomer once: papers without links, and an error that nobody caused."""

import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

LESSONS = Path(__file__).parents[2] / "notebooks"


def cells(number: str) -> list[NotebookNode]:
    (path,) = LESSONS.glob(f"{number}_*.ipynb")
    return list(nbformat.read(path, as_version=4).cells)


def section(number: str, heading: str) -> list[NotebookNode]:
    """Return the cells of a lesson from a heading to the next of its kind."""
    found = cells(number)
    starts = [k for k, c in enumerate(found) if re.search(r"^## ", c.source, re.MULTILINE)]
    (begin,) = [k for k in starts if f"## {heading}" in found[k].source]
    ends = [k for k in starts if k > begin]
    return found[begin : min(ends, default=len(found))]


def test_lesson_00_leads_to_its_papers() -> None:
    (text, *_) = section("00", "The answer, part 3: papers and tools")
    papers = [line for line in text.source.split("\n- ") if "Paper:" in line]
    assert len(papers) >= 4
    for paper in papers:
        assert re.search(r"Paper:\s+\[[^\]]+\]\(https://", paper), paper[:60]


def test_lesson_05_leads_to_the_explorer_and_ends_with_a_photo() -> None:
    text, *rest = section("05", "Your own photo")
    assert "explorer at the top: *Open a photo …*" in text.source
    handed = [line for cell in rest for line in re.findall(r"receive\((.*)\)", cell.source)]
    assert len(handed) >= 3
    assert handed[-1] == '"cat.jpg", buffer.getvalue()', "a whole photo stands there after Run All"
