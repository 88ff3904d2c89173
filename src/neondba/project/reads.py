"""Which parts of a tree were asked for: what an answer made of them depends on."""

from __future__ import annotations

from dataclasses import dataclass, field

Query = tuple[str, tuple[str, ...], tuple[str, ...]]
"""A question about many files: `paths`, `tracked`, `named` (names, suffixes), `having` (suffixes, words).

`having among` is asked of some of the files with these suffixes."""

PATHS: Query = ("paths", (), ())
TRACKED: Query = ("tracked", (), ())


@dataclass
class Reads:
    """What one fact or rule asked for."""

    texts: set[str] = field(default_factory=set)
    """Files whose text was read, also where there was none."""
    queries: set[Query] = field(default_factory=set)
    facts: set[type] = field(default_factory=set)

    def add(self, other: Reads) -> None:
        """Add what another asked for."""
        self.texts |= other.texts
        self.queries |= other.queries
        self.facts |= other.facts


def is_named(path: str, names: tuple[str, ...], suffixes: tuple[str, ...]) -> bool:
    """Tell whether the last part of a path is one of `names` or ends in one of `suffixes`."""
    last = path.rpartition("/")[2]
    return last in names or last.endswith(suffixes)


def has_word(text: str | None, words: tuple[str, ...]) -> bool:
    """Tell whether a text has one of the words."""
    if text is not None:
        for word in words:
            if word in text:
                return True
    return False
