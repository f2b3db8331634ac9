"""What the project's modules import, read from their sources."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.support.paths import ROOT


@dataclass(frozen=True)
class Import:
    """``module`` imports ``name``; ``late``: only when a function is called.

    ``name`` is as it stands there, so for ``from a.b import c`` it is ``a.b.c``, whatever c is.
    """

    module: str
    name: str
    late: bool


def sources(package: str) -> dict[str, Path]:
    """Every module of a package (or of a folder of scripts) with its file."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports_of(module: str, path: Path) -> tuple[Import, ...]:
    """Every import of a module, those for type checkers alone and those by literal name too."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return tuple(Import(module, name, late) for name, late in _names(tree, package, False))


def _names(node: ast.AST, package: str, late: bool) -> Iterator[tuple[str, bool]]:
    if isinstance(node, ast.Import):
        yield from ((alias.name, late) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*parents, *([base] if base else [])])
        yield from ((f"{base}.{alias.name}", late) for alias in node.names)
    elif isinstance(node, ast.Call) and _is_import_module(node):
        match node.args:
            case [ast.Constant(value=str(name))]:
                yield name, late
    inside = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _names(child, package, inside)


def _is_import_module(node: ast.Call) -> bool:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else None
    return name == "import_module"
