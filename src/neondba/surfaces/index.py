"""Name every operation without importing any: help must not wait for them.

The text of each room's `operations.py` and `operations_<noun>.py` is searched for registrations. Reading
costs a millisecond, importing all rooms costs half a second. A test holds this list equal to what is really
registered.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from neondba.core.operation import Operation

_REGISTRATION = re.compile(
    r'^@operation\(\s*"(?P<name>[\w.]+)".*?^def .*?"""(?P<summary>[^\n"]+)', re.DOTALL | re.MULTILINE
)


_GROUP = "neondba.operations"


class Listed(NamedTuple):
    """An operation as help shows it."""

    name: str
    summary: str
    module: str

    @property
    def words(self) -> tuple[str, ...]:
        """The command-line words."""
        return tuple(self.name.replace("_", "-").split("."))


@cache
def listed() -> dict[tuple[str, ...], Listed]:
    """Give every operation by its command-line words, in alphabetical order."""
    found = [*_in_rooms(), *_from_other_packages()]
    return {item.words: item for item in sorted(found, key=lambda item: item.words)}


def loaded(item: Listed) -> Operation:
    """Import the one module that defines an operation and give the operation."""
    from neondba.core.operation import find

    if item.module:
        import_module(item.module)
    return find(item.name)


def _in_rooms() -> Iterator[Listed]:
    for file in sorted(Path(__file__).parents[1].glob("*/operations*.py")):
        module = f"neondba.{file.parent.name}.{file.stem}"
        for match in _REGISTRATION.finditer(file.read_text(encoding="utf-8")):
            yield Listed(match["name"], match["summary"].strip(), module)


def _from_other_packages() -> Iterator[Listed]:
    if not any(_declares_operations(Path(folder)) for folder in sys.path):
        return
    from importlib.metadata import entry_points

    from neondba.core.operation import registered

    for entry in entry_points(group=_GROUP):
        entry.load()
    for name, operation in registered().items():
        if not operation.function.__module__.startswith("neondba."):
            yield Listed(name, operation.summary, "")


def _declares_operations(folder: Path) -> bool:
    """Search the packages' own lists: importlib.metadata takes longer to import than help may take."""
    for declared in folder.glob("*-info/entry_points.txt"):
        try:
            if _GROUP in declared.read_text(encoding="utf-8"):
                return True
        except (OSError, UnicodeDecodeError):
            continue
    return False
