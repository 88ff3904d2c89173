"""Put new numbers into a call that makes a pool: plain ones, in a file that git could give back."""

from __future__ import annotations

import ast
import hashlib
from dataclasses import dataclass
from pathlib import Path

from neondba.connections.pool_code import CodePool
from neondba.connections.pool_sizes import Sizes
from neondba.project.git import git


@dataclass(frozen=True)
class CodeEdit:
    """A file with other numbers."""

    path: Path
    content: bytes
    told: tuple[str, ...]
    """The changes in words."""


def code_edit(folder: Path, pool: CodePool, sizes: Sizes) -> CodeEdit | str:
    """Give the edit; or why there is none."""
    wanted = _wanted(pool, sizes)
    if pool.engine is None or not wanted:
        return f"the pool of {pool.place} is no Python call whose numbers could be changed"
    written = {k.arg: k.value for k in pool.engine.call.keywords if k.arg in wanted}
    if written.keys() != wanted.keys() or not all(map(_is_number, written.values())):
        names = " and ".join(wanted)
        return f"{names} do not stand as plain numbers in {pool.place}" if len(wanted) > 1 else (
            f"{names} does not stand as a plain number in {pool.place}"
        )  # fmt: skip
    path = folder / pool.path
    data = path.read_bytes()
    lines = data.split(b"\n")
    told = []
    # From the end, so that the columns before stay right.
    for name, node in sorted(written.items(), key=lambda pair: (-pair[1].lineno, -pair[1].col_offset)):
        old = lines[node.lineno - 1]
        start, end = node.col_offset, node.end_col_offset or 0
        if old[start:end].decode() == wanted[str(name)]:
            continue
        told.append(f"{pool.path}:{node.lineno}: {name}={wanted[str(name)]}")
        lines[node.lineno - 1] = old[:start] + wanted[str(name)].encode() + old[end:]
    if told and not _is_committed(folder, pool.path, data):
        return f"{pool.path} is not as git has it, so nothing could give it back: commit it first"
    return CodeEdit(path, b"\n".join(lines), tuple(reversed(told)))


def _wanted(pool: CodePool, sizes: Sizes) -> dict[str, str]:
    if pool.library == "sqlalchemy":
        return {"pool_size": str(sizes.kept), "max_overflow": str(sizes.overflow)}
    return {"max_size": str(sizes.most)} if pool.library in ("asyncpg", "psycopg-pool") else {}


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def _is_committed(folder: Path, path: str, data: bytes) -> bool:
    """Compare with the last commit; hashed here, since git's own way may run the project's filters."""
    listed = git(folder, "ls-tree", "HEAD", "--", path)
    if not listed:
        return False
    blob = listed.split()[2].decode()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest() == blob
