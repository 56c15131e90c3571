"""The files that the house rules read: what is in the repository, nothing that was generated."""

import ast
import functools
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PRODUCT = ("scf", "graph", "scoring", "web", "config")


@functools.cache
def repository_files() -> tuple[Path, ...]:
    """Every file that is tracked or about to be, relative to the root."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    files = sorted({Path(name) for name in listed.split("\0") if name})
    return tuple(file for file in files if (ROOT / file).is_file())


def files(*folders: str, suffixes: Iterable[str] = (".py",)) -> list[Path]:
    """Files of the named top folders; without a name, of the whole repository."""
    wanted = tuple(suffixes)
    return [
        file
        for file in repository_files()
        if file.name.endswith(wanted) and (not folders or file.parts[0] in folders)
    ]


@functools.cache
def text(file: Path) -> str:
    """Content of a file, given relative to the root."""
    return (ROOT / file).read_text(encoding="utf-8")


@functools.cache
def tree(file: Path) -> ast.Module:
    """Parsed content of a Python file."""
    return ast.parse(text(file), filename=str(file))


def imported(module: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything imported, ``from a import b`` as ``a.b``."""
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def calls(module: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    """Every call with the dotted name of what is called, as far as it is a name."""
    for node in ast.walk(module):
        if isinstance(node, ast.Call):
            yield node, dotted(node.func)


def dotted(node: ast.expr) -> str:
    """``a.b.c`` of a name or attribute; the receiver of anything else is left out."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def report(found: Iterable[str], instead: str) -> str:
    """Message of a broken rule: every place, then what to do instead."""
    places = list(found)
    return "\n".join([*places, f"instead: {instead}"]) if places else ""
