"""What the variables that a pool's numbers are read from hold: in .env, else their defaults in code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neondba.connections.check_source import FILES
from neondba.connections.pool_start import Count
from neondba.project import env_file
from neondba.project.places import is_test
from neondba.project.tree import Tree


@dataclass(frozen=True)
class Variables:
    """The numbers of variables of a project."""

    tree: Tree
    folder: Path

    def of(self, name: str | None) -> Count | None:
        """Give a variable's number, and where it stands."""
        return None if name is None else next(self._all(name), None)

    def _all(self, name: str) -> Iterator[Count]:
        for file in FILES:
            value = env_file.read(self.folder / file).value(name)
            if value is not None and value.reveal().strip().isdigit():
                yield Count(int(value.reveal()), file, _line(self.folder / file, name))
        field = re.compile(
            rf"^[ \t]*{re.escape(name)}[ \t]*:[ \t]*[\w\[\]. |]+=[ \t]*"
            r"(?:Field\([ \t]*(?:default[ \t]*=[ \t]*)?)?(\d+)",
            re.MULTILINE | re.IGNORECASE,
        )
        for path in self.tree.having((".py",), (name, name.lower())):
            text = self.tree.text(path) or ""
            found = None if is_test(path) else field.search(text)
            if found:
                yield Count(int(found[1]), path, text.count("\n", 0, found.start()) + 1)


def _line(path: Path, name: str) -> int:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((n for n, line in enumerate(lines, 1) if re.match(rf"(?:export )?\s*{name}\s*=", line)), 1)
