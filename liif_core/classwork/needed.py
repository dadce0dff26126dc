"""What a solution needs besides itself: imports and cells of where it was written."""

import ast
import builtins
import symtable
from collections.abc import Iterator, Sequence

_ALWAYS = frozenset(dir(builtins)) | {"__file__", "__name__"}


def with_what_it_needs(solution: str, written_in: Sequence[str], known: Sequence[str]) -> str:
    """Return a solution, before it what it uses and the place that it is put into does not know.

    Args:
        solution: code.
        written_in: code of the cells that stand above it where it was written.
        known: code of the cells that it is put among.
    """
    there = _ALWAYS.union(*map(_bound, known))
    above: list[str] = []
    wanted = [solution]
    while wanted:
        code = wanted.pop()
        for name in sorted(_used(code) - _bound(code) - there):
            piece = _piece_with(name, written_in)
            if piece and piece not in above:
                above.insert(0, piece)
                wanted.append(piece)
    return "\n\n".join([*above, solution])


def _piece_with(name: str, cells: Sequence[str]) -> str:
    """Return the import, or else the whole cell, that a name comes from; "" if from none."""
    for cell in reversed(cells):
        if name in _bound(cell):
            for node in ast.parse(cell).body:
                if isinstance(node, (ast.Import, ast.ImportFrom)) and name in _names(node):
                    return ast.unparse(node)
            return cell
    return ""


def _names(node: ast.Import | ast.ImportFrom) -> set[str]:
    return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}


def _bound(code: str) -> set[str]:
    """Return the names that code leaves behind."""
    table = symtable.symtable(code, "<cell>", "exec")
    return {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}


def _used(code: str) -> set[str]:
    """Return the names that code takes from around it, in its functions as well."""
    return set(_globals_of(symtable.symtable(code, "<cell>", "exec")))


def _globals_of(table: symtable.SymbolTable) -> Iterator[str]:
    at_top = table.get_type() == "module"
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (at_top or symbol.is_global()):
            yield symbol.get_name()
    for child in table.get_children():
        yield from _globals_of(child)
