"""Of which kind each value of a recipe must be: said in words before anything is reckoned with."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

#: What a value of each kind is called; those of other kinds are looked at one by one.
CALLED = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def wrong_kinds(record: Any) -> Iterator[tuple[str, str]]:
    """Yield the name of each value that is of another kind than noted, and what it must be.

    Args:
        record: an instance of a dataclass.
    """
    for field in fields(record):
        value = getattr(record, field.name)
        if field.type in CALLED and not _is(value, field.type):
            yield field.name, CALLED[field.type]


def is_number(value: Any) -> bool:
    """Whether a value is a number; Python would take true and false for some."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is(value: Any, kind: Any) -> bool:
    return is_number(value) if kind is float else type(value) is kind
