"""What went wrong, when the cause is outside the program: a file, an option, a full disk."""


class LiifError(ValueError):
    """A mistake that the caller can mend. The message is one line: what was wrong, what to do.

    The command line prints it and exits with status 2.
    """


def one_line(error: BaseException) -> str:
    """Return an error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__
