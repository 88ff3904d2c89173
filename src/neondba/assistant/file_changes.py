"""Carry out changes of files: all of them, or none."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from neondba.core.problem import ArgumentProblem, Problem
from neondba.core.whole_file import put


@dataclass
class _Before:
    """How one file stood."""

    place: Path
    content: bytes | None
    mode: int | None
    made: list[Path] = field(default_factory=list)
    """Folders that were made for it, the deepest first."""


def carried_out(folder: Path, changes: Iterable[tuple[str, str | None]]) -> None:
    """Write each file's content, or remove the file; a folder that is empty then goes too.

    Raises:
        ArgumentProblem: one cannot be; then all are as they were.
    """
    done: list[_Before] = []
    try:
        for path, content in changes:
            _change(folder, path, content, done)
    except BaseException as error:
        for each in reversed(done):
            with suppress(OSError, Problem):
                _back(each)
        if isinstance(error, OSError | Problem):
            raise _refused(path, error) from None
        raise


def _change(folder: Path, path: str, content: str | None, done: list[_Before]) -> None:
    place = (folder / path).resolve()
    there = place.exists()
    before = _Before(
        place,
        place.read_bytes() if there else None,
        place.stat().st_mode & 0o777 if there else None,
        [each for each in place.parents if not each.exists()],
    )
    done.append(before)
    if content is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        put(place, content.encode())
        return
    place.unlink(missing_ok=True)
    _prune(folder.resolve(), place.parent)


def _prune(folder: Path, empty: Path) -> None:
    while empty != folder and not any(empty.iterdir()):
        empty.rmdir()
        empty = empty.parent


def _back(before: _Before) -> None:
    if before.content is not None:
        before.place.parent.mkdir(parents=True, exist_ok=True)
        put(before.place, before.content, mode=before.mode)
        return
    before.place.unlink(missing_ok=True)
    for folder in before.made:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _refused(path: str, error: OSError | Problem) -> ArgumentProblem:
    why = error.message if isinstance(error, Problem) else f"{path} cannot be changed: {error.strerror}."
    return ArgumentProblem(
        "file-not-writable",
        why,
        hint="All files are as they were. See who owns the file and its folder, and run it again.",
    )
