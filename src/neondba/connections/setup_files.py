"""Write the files of a set-up, show what changed in each, and take it back when a later step fails."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from neondba.connections.setup_results import FileLine
from neondba.core.context_file import ContextFile
from neondba.core.problem import ArgumentProblem, ConflictProblem
from neondba.core.whole_file import put
from neondba.neon.connection_string import mask_text
from neondba.project import git
from neondba.project.gitignore import Ignores
from neondba.project.tree import FolderTree

SHOWN = 40
"""Lines of one file that are shown at most."""
_ENTRY = re.compile(r"^(?P<head>\s*(?:#\s*)?(?:export\s+)?(?P<name>[A-Za-z_][\w.]*)\s*=\s*)(?P<value>.+)$")
_ADDRESS = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")


@dataclass
class Written:
    """The files written so far, and what they held before."""

    root: Path
    before: dict[Path, tuple[bytes, int] | None] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)
    lines: list[FileLine] = field(default_factory=list)

    def put(
        self,
        path: Path,
        content: bytes,
        *,
        mode: int | None = None,
        open_names: Collection[str] | None = None,
    ) -> None:
        """Write a file whole; nothing is done where it holds this already.

        With `open_names` it is a file of variables: only the values of those names and addresses are shown.

        Raises:
            ArgumentProblem: it cannot be written.
        """
        old = path.read_bytes() if path.exists() else None
        if old == content and (mode is None or path.stat().st_mode & 0o777 == mode):
            return
        self._folder(path.parent)
        self.before.setdefault(path, (old, path.stat().st_mode & 0o777) if old is not None else None)
        put(path, content, mode=mode)
        self.lines.append(changed(shown(self.root, path), old, content, open_names))

    def undo(self) -> list[str]:
        """Put everything back; give the files for which that failed."""
        stands = []
        for path, old in self.before.items():
            try:
                if old is None:
                    path.unlink(missing_ok=True)
                else:
                    put(path, old[0], mode=old[1])
            except (OSError, ArgumentProblem):
                stands.append(f"file {shown(self.root, path)}")
        for folder in reversed(self.folders):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        return stands

    def _folder(self, folder: Path) -> None:
        new = [each for each in (folder, *folder.parents) if not each.exists()]
        for each in reversed(new):
            try:
                each.mkdir()
            except OSError as error:
                raise ArgumentProblem(
                    "file-not-writable", f"{each} cannot be made: {error.strerror or error}."
                ) from None
            self.folders.append(each)


def changed(path: str, old: bytes | None, new: bytes, open_names: Collection[str] | None) -> FileLine:
    """Say what changed in a file, passwords masked."""
    before, after = _lines(old or b"", open_names), _lines(new, open_names)
    differ = [line for line in difflib.ndiff(before, after) if line[:2] in ("+ ", "- ")]
    added = [line[2:] for line in differ if line[0] == "+"]
    removed = [line[2:] for line in differ if line[0] == "-"]
    return FileLine(
        path=path,
        action="made" if old is None else "changed",
        added=_cut(added),
        removed=_cut(removed),
    )


def _cut(lines: list[str]) -> tuple[str, ...]:
    more = len(lines) - SHOWN
    return (*lines[:SHOWN], f"… and {more} more lines") if more > 0 else tuple(lines)


def _lines(content: bytes, open_names: Collection[str] | None) -> list[str]:
    lines = mask_text(content.decode("utf-8", "replace")).splitlines()
    return lines if open_names is None else [_hidden(line, open_names) for line in lines]


def _hidden(line: str, open_names: Collection[str]) -> str:
    """Hide a value of a file of variables, unless it is an address or belongs to an open name."""
    entry = _ENTRY.match(line)
    if entry is None:
        return line
    value = entry["value"].strip("'\"")
    shows = not value or entry["name"] in open_names or _ADDRESS.match(value)
    return line if shows else f"{entry['head']}***"


def shown(root: Path, path: Path) -> str:
    """Give a path as the user sees it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def refuse_tracked(folder: Path, paths: Iterable[Path]) -> None:
    """Refuse files with passwords that git would take along.

    Raises:
        ConflictProblem: git tracks one.
    """
    for path in paths:
        if git.git(folder, "ls-files", "--error-unmatch", "--", str(path)) is not None:
            name = shown(folder, path)
            raise ConflictProblem(
                "env-file-tracked",
                f"git tracks {name}: a password in it would be committed.",
                hint=f"Take it out of git, it stays on disk: git rm --cached {name}. Then run this again.",
            )


def to_ignore(root: Path, paths: Iterable[Path]) -> tuple[str, ...]:
    """Give the names that `.gitignore` does not hide yet."""
    in_git = git.git(root, "rev-parse", "--is-inside-work-tree") is not None
    ignores = None if in_git else Ignores.gather(FolderTree(root))
    names = []
    for path in paths:
        if ignores is not None:
            hidden = ignores.ignores(shown(root, path))
        else:
            hidden = git.git(root, "check-ignore", "-q", "--no-index", "--", str(path)) is not None
        if not hidden and path.is_relative_to(root):
            names.append(path.name)
    return tuple(dict.fromkeys(names))


def to_show(root: Path, paths: Iterable[Path]) -> tuple[str, ...]:
    """Give the lines by which `.gitignore` lets examples through that it hides."""
    hidden = [p for p in paths if git.git(root, "check-ignore", "-q", "--no-index", "--", str(p)) is not None]
    return tuple(dict.fromkeys(f"!{path.name}" for path in hidden))


def with_names(old: bytes, names: Iterable[str]) -> bytes:
    """Give the text of `.gitignore` with names at its end."""
    end = b"\r\n" if b"\r\n" in old else b"\n"
    gap = end if old and not old.endswith(b"\n") else b""
    return old + gap + b"".join(name.encode() + end for name in names)


def context_bytes(context: ContextFile) -> bytes:
    """Give the content of a `.neon` file."""
    return (json.dumps(context.values, indent=2, ensure_ascii=False) + "\n").encode()
