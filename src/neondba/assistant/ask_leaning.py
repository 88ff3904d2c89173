"""Which way a question leans: to which of several groups of written questions it is most alike."""

from __future__ import annotations

import sqlite3
from array import array
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import lru_cache
from math import log, sqrt
from statistics import fmean, pstdev
from typing import Final, TypeVar

from neondba.assistant.ask_words import marked, pieces

Group = TypeVar("Group", bound=Hashable)

SMOOTH: Final = 400.0
"""Words of the whole language that are lent to each group, so that none is impossible in it."""
PIECE_WEIGHT: Final = 0.4
"""How much a piece of a word tells beside a word: pieces of one word come together."""
MARK: Final = "~"
"""Tells a piece from a word of the same letters."""
NUMBER: Final = "I"
"""How a number is packed: an array of thousands is read at once."""
TABLES: Final = (
    "word (text text primary key, counts blob) without rowid",
    "place (sizes blob, vocabulary text)",
)
REMEMBERED: Final = 4_096
"""Words and pieces whose places are kept from one question to the next."""


def count(db: sqlite3.Connection, said: Iterable[list[str]]) -> None:
    """Count the words of each place into tables, from which a leaning is read."""
    counted = [Counter(words) for words in said]
    held: dict[str, array[int]] = {}
    for place, counts in enumerate(counted):
        for word, times in counts.items():
            held.setdefault(word, array(NUMBER)).extend((place, times))
    signs = {word: 1 + len(pieces(word)) for word in held}
    sizes = array(NUMBER, (sum(times * signs[word] for word, times in c.items()) for c in counted))
    for table in TABLES:
        db.execute(f"create table {table}")
    rows = ((word, counts.tobytes()) for word, counts in held.items())
    db.executemany("insert into word (text, counts) values (?, ?)", rows)
    vocabulary = "\n".join(map(marked, held))
    db.execute("insert into place (sizes, vocabulary) values (?, ?)", (sizes.tobytes(), vocabulary))


class Leaning:
    """How the questions of many places are asked: a naive Bayes classifier with Dirichlet smoothing.

    What speaks for a place is the sum over all questions there, not the nearest of them: decision 17.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        [(sizes, self._vocabulary)] = db.execute("select sizes, vocabulary from place")
        self._sizes = list(_numbers(sizes))
        self._whole = sum(self._sizes)
        self._holding = lru_cache(REMEMBERED)(self._held)

    def of(self, words: list[str], groups: Sequence[Group]) -> dict[Group, float]:
        """Give how much speaks for each group; `groups` names the group of each place.

        Only differences between groups mean something; they are about as large for long questions as for
        short ones.
        """
        sizes: dict[Group, int] = {}
        for place, size in enumerate(self._sizes):
            sizes[groups[place]] = sizes.get(groups[place], 0) + size
        found = dict.fromkeys(sizes, 0.0)
        every = 0.0
        for sign, weight in _signs(words).items():
            held: dict[Group, int] = {}
            for place, count in self._holding(sign).items():
                held[groups[place]] = held.get(groups[place], 0) + count
            if not held:
                continue
            every += weight
            lent = SMOOTH * sum(held.values()) / self._whole
            for group, count in held.items():
                found[group] += weight * log(1 + count / lent)
        return {
            group: (sum_ - every * log(sizes[group] + SMOOTH)) / sqrt(every or 1.0)
            for group, sum_ in found.items()
        }

    def _held(self, sign: str) -> dict[int, int]:
        """Count a word, or a piece in all words that hold it, by place."""
        if not sign.startswith(MARK):
            return dict(self._counts(sign))
        piece, held = sign.removeprefix(MARK), dict[int, int]()
        for word in self._with(piece):
            times = pieces(word).count(piece)
            for place, counted in self._counts(word) if times else ():
                held[place] = held.get(place, 0) + counted * times
        return held

    def _counts(self, word: str) -> Iterator[tuple[int, int]]:
        """Give the places that have a word, and how often."""
        for (counts,) in self._db.execute("select counts from word where text = ?", (word,)):
            numbers = _numbers(counts)
            yield from zip(numbers[::2], numbers[1::2], strict=True)

    def _with(self, piece: str) -> Iterator[str]:
        """Give the words that may hold a piece: a search in one text is faster than a table of all pieces."""
        at = self._vocabulary.find(piece)
        while at >= 0:
            begin, end = self._vocabulary.rfind("\n", 0, at) + 1, self._vocabulary.find("\n", at)
            end = len(self._vocabulary) if end < 0 else end
            yield self._vocabulary[begin + 1 : end - 1]
            at = self._vocabulary.find(piece, end)


def _numbers(packed: bytes) -> array[int]:
    numbers = array(NUMBER)
    numbers.frombytes(packed)
    return numbers


def standard(values: Iterable[float]) -> list[float]:
    """Give values in standard deviations from their mean: so unlike scores can be added."""
    given = list(values)
    mean, deviation = fmean(given), pstdev(given) or 1.0
    return [(value - mean) / deviation for value in given]


def _signs(words: list[str]) -> dict[str, float]:
    """Weigh the words of a question and their pieces, each as often as it stands there."""
    weights: dict[str, float] = {}
    for word in words:
        weights[word] = weights.get(word, 0.0) + 1.0
        for piece in pieces(word):
            weights[MARK + piece] = weights.get(MARK + piece, 0.0) + PIECE_WEIGHT
    return weights
