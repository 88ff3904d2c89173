"""House rules that no linter knows."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

import pytest

from neondba.core.collector import collector_resting

REPOSITORY = Path(__file__).parents[1]
SOURCES = sorted((REPOSITORY / "src").rglob("*.py"))
LONGEST_FILE = 400
LONGEST_FUNCTION = 40
LONGER: dict[str, int] = {}
"""Functions over the limit: their parameters are what users see. This list may only shrink."""


def _name(path: Path) -> str:
    return path.relative_to(REPOSITORY).as_posix()


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def _functions() -> dict[str, int]:
    """Give the lines of every function; of two with one name in a file, the longer one's."""
    found: dict[str, int] = {}
    with collector_resting():
        trees = {path: _tree(path) for path in SOURCES}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                name = f"{_name(path)}: {node.name}"
                found[name] = max(found.get(name, 0), (node.end_lineno or 0) - node.lineno + 1)
    return found


def test_no_file_is_long() -> None:
    lengths = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {name: length for name, length in lengths.items() if length > LONGEST_FILE} == {}


def test_no_function_is_long() -> None:
    allowed = {name: LONGER.get(name, LONGEST_FUNCTION) for name in _functions()}
    assert {name: length for name, length in _functions().items() if length > allowed[name]} == {}


def test_the_list_of_long_functions_shrinks_with_them() -> None:
    now = {name: length for name, length in _functions().items() if length > LONGEST_FUNCTION}
    assert now == LONGER, "write down the new, smaller number, or strike the function out"


def test_nothing_is_printed() -> None:
    calls = [
        f"{_name(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert calls == []


def _is_set(node: ast.expr) -> bool:
    made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    return isinstance(node, ast.Set | ast.SetComp) or (made and node.func.id in ("set", "frozenset"))


def test_nothing_is_chosen_by_the_order_of_a_set() -> None:
    """That order is another one in each process: of those that are alike, any could be the first."""
    chosen = [
        f"{_name(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.args
        and _is_set(node.args[0])
        if node.func.id in ("list", "tuple", "iter", "enumerate")
        or (node.func.id in ("min", "max") and any(word.arg == "key" for word in node.keywords))
    ]
    looped = [
        f"{_name(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.For) and _is_set(node.iter)
    ]
    assert chosen + looped == []


def test_every_public_module_says_what_it_is() -> None:
    silent = [
        _name(path)
        for path in SOURCES
        if not path.stem.startswith("_") or path.stem == "__init__"
        if not ast.get_docstring(_tree(path))
    ]
    assert silent == []


def _registries() -> list[bytes]:
    """Build the names here, so that this file does not hold them either."""
    hosts = [
        ("pypi", "org"), ("python" "hosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com"),
        ("crates", "io"), ("rubygems", "org"), ("golang", "org"),
    ]  # fmt: skip
    return [".".join(parts).encode() for parts in hosts]


def test_no_file_names_a_package_registry() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in listed.stdout.decode().split("\0") if name]
    assert len(names) > 300
    found = []
    for name in names:
        path = REPOSITORY / name
        if path.is_file():
            content = path.read_bytes().lower()
            found += [f"{name}: {host.decode()}" for host in _registries() if host in content]
    assert found == []


def test_decisions_are_numbered_listed_and_short() -> None:
    folder = REPOSITORY / "docs" / "decisions"
    pages = sorted(folder.glob("0*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    listed = [
        line for line in (folder / "README.md").read_text(encoding="utf-8").splitlines() if line[:1] == "-"
    ]
    assert [line.rpartition("(")[2].rstrip(")") for line in listed] == [page.name for page in pages]
    assert [page.name for page in pages if len(page.read_text(encoding="utf-8").splitlines()) > 40] == []
