"""Text for a lesson's printed output, which notebooks break inside words where it is too wide."""

import textwrap

#: Characters in a printed line that every page has room for.
WIDTH = 96


def wrapped(text: str) -> str:
    """Return a text whose long lines are broken between words, its own line breaks kept."""
    return "\n".join(textwrap.fill(line, WIDTH) for line in text.split("\n"))
