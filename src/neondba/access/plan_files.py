"""Write several files together, or none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neondba.core.whole_file import put


@dataclass(frozen=True)
class Files:
    """What is to be written."""

    migrations: Mapping[str, str]
    changed: Mapping[str, str] = field(default_factory=dict)
    """Files of a tool's own that grow by an entry."""
    session: Mapping[str, str] = field(default_factory=dict)

    def new(self, folder: Path) -> dict[str, str]:
        """Give what is not there yet; a file that is there stays as it is."""
        wanted = {**self.migrations, **self.session}
        new = {path: text for path, text in wanted.items() if not (folder / path).exists()}
        return {**new, **(self.changed if self.migrations else {})}

    def kept(self, folder: Path) -> list[str]:
        """Say which files are there with another content, and so are left alone."""
        return [
            f"{path} is there and differs from what would be written now: it was left alone."
            for path, text in self.session.items()
            if (folder / path).exists() and (folder / path).read_text(encoding="utf-8") != text
        ]


def put_all(folder: Path, new: Mapping[str, str], changed: Mapping[str, str]) -> None:
    """Write the files; what was begun is taken back when one cannot be written."""
    before = {path: (folder / path).read_bytes() for path in changed if (folder / path).exists()}
    done: list[str] = []
    made: list[Path] = []
    try:
        for path, text in new.items():
            place = folder / path
            made += [p for p in reversed(place.parents) if not p.exists()]
            place.parent.mkdir(parents=True, exist_ok=True)
            done.append(path)
            put(place, text.encode())
    except BaseException:
        for path in done:
            if path in before:
                put(folder / path, before[path])
            else:
                (folder / path).unlink(missing_ok=True)
        for place in reversed(made):
            if place.is_dir() and not any(place.iterdir()):
                place.rmdir()
        raise
