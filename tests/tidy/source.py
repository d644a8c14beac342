"""Where the project's files are, and what a Python file imports and names."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "pickgate"
DOCS = ROOT / "docs"
_NOT_OURS = {".venv", ".git", "__pycache__", "build", "dist", "mutants", "artefacts", "pickgate-data", "node_modules"}
_TEXT = {".py", ".md", ".sql", ".toml", ".csv", ".graphql", ".html", ".css", ".js", ".yaml", ".yml", ".json", ".lock"}


def name_of(file: Path) -> str:
    """Return the path below the project's root: the name of a test case."""
    return file.relative_to(ROOT).as_posix()


@cache
def python_files() -> tuple[Path, ...]:
    """Return every module of the package, sorted."""
    return tuple(sorted(file for file in SOURCE.rglob("*.py") if "__pycache__" not in file.parts))


@cache
def all_files() -> tuple[Path, ...]:
    """Return every text file of the project: what git tracks or would, else everything that is not built."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            capture_output=True,
            check=True,
            timeout=30,
        ).stdout.decode()
        found = [ROOT / name for name in listed.split("\0") if name]
    except (OSError, subprocess.SubprocessError):
        found = [file for file in ROOT.rglob("*") if not _NOT_OURS & set(file.relative_to(ROOT).parts)]
    plain = {"Makefile", "Dockerfile", "LICENSE", "NOTICE", "run"}
    return tuple(sorted(f for f in found if f.is_file() and (f.suffix in _TEXT or f.name in plain)))


@cache
def documents() -> tuple[Path, ...]:
    """Return every Markdown file, wherever it stands."""
    return tuple(file for file in all_files() if file.suffix == ".md")


def imported_modules(tree: ast.AST, where: str) -> Iterator[str]:
    """
    Yield each imported module by its full name; `from pickgate import x` and relative imports are resolved.

    Args:
        where: The file below `src/`, such as `pickgate/flows/look.py`.
    """
    package = where.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            if module == "pickgate":
                yield from (f"pickgate.{alias.name}" for alias in node.names)
            else:
                yield module


def names_used(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield (line, full dotted name) of everything that is read from an imported module, through any alias."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                known[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
    for node in ast.walk(tree):
        dotted = _dotted(node, known)
        if dotted is not None and isinstance(node, ast.Attribute | ast.Name):
            yield node.lineno, dotted


def _dotted(node: ast.AST, known: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.Attribute):
        base = _dotted(node.value, known)
        return None if base is None else f"{base}.{node.attr}"
    return None


def without_code(markdown: str) -> str:
    """Return the prose of a Markdown text: fenced blocks, code spans and link targets blanked, lines kept."""
    lines, fenced = [], False
    for line in markdown.splitlines():
        if line.lstrip().startswith("```"):
            fenced = not fenced
            lines.append("")
            continue
        lines.append("" if fenced else _blank_spans(line))
    return "\n".join(lines)


def _blank_spans(line: str) -> str:
    kept = "".join(part if number % 2 == 0 else " " for number, part in enumerate(line.split("`")))
    while "](" in kept:
        before, _, after = kept.partition("](")
        kept = f"{before}] {after.partition(')')[2]}"
    return kept
