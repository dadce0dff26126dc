"""What went wrong, when the cause is outside the program: a file, an option, a full disk."""


class LiifError(ValueError):
    """A mistake that the caller can mend. The message is one line: what was wrong, what to do.

    The command line prints it and exits with status 2.
    """


def one_line(error: BaseException) -> str:
    """Return an error's message on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory did not suffice.

    Python and NumPy have a class for it. PyTorch has one for accelerators alone; on the CPU it
    raises a bare RuntimeError, as it does for anything else, and only the words tell.
    """
    if isinstance(error, MemoryError):
        return True
    words = (
        "out of memory",
        "can't allocate memory",
        "not enough memory",
        "alloc_failed",
        "bad_alloc",  # C++'s own, within PyTorch
        "can't start new thread",  # for whose stack there is no room
    )
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)
