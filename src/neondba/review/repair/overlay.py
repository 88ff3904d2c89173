"""A tree with some files written anew in memory, so that a repair is reviewed before it is made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from neondba.project.tree import FolderTree


class Overlay(FolderTree):
    """A folder, seen with changed and added files."""

    def __init__(self, below: FolderTree, changed: Mapping[str, str]) -> None:
        super().__init__(below.folder)
        self._below = below
        self._changed = dict(changed)
        self.notes, self.closed, self.too_large = below.notes, below.closed, below.too_large

    @property
    def tracked(self) -> frozenset[str] | None:
        """What git tracks in the tree below, and what is added."""
        known = self._below.tracked
        return None if known is None else known | self._changed.keys()

    def text(self, path: str) -> str | None:
        """Give the changed text, else that of the tree below."""
        return self._changed[path] if path in self._changed else self._below.text(path)

    def _list(self) -> Iterable[str]:
        return {*self._below.paths, *self._changed}

    def _read(self, path: str) -> bytes | None:
        text = self.text(path)
        return None if text is None else text.encode()
