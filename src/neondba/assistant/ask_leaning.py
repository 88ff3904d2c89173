"""Which way a question leans: to which of several groups of written questions it is most alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from math import log, sqrt
from statistics import fmean, pstdev
from typing import Final, TypeVar

from neondba.assistant.ask_words import pieces

Group = TypeVar("Group", bound=Hashable)

SMOOTH: Final = 400.0
"""Words of the whole language that are lent to each group, so that none is impossible in it."""
PIECE_WEIGHT: Final = 0.4
"""How much a piece of a word tells beside a word: pieces of one word come together."""
MARK: Final = "~"
"""Tells a piece from a word of the same letters."""


class Leaning:
    """How the questions of many places are asked: a naive Bayes classifier with Dirichlet smoothing.

    What speaks for a place is the sum over all questions there, not the nearest of them: decision 17.
    """

    def __init__(self, asked: Iterable[tuple[int, list[str]]]) -> None:
        words: dict[int, list[str]] = {}
        for place, said in asked:
            words.setdefault(place, []).extend(said)
        self._places: dict[str, dict[int, int]] = {}
        self._sizes: dict[int, int] = {}
        for place, said in words.items():
            counted = _counted(said)
            self._sizes[place] = sum(counted.values())
            for sign, count in counted.items():
                self._places.setdefault(sign, {})[place] = count
        self._whole = sum(self._sizes.values())

    def of(self, words: list[str], groups: Sequence[Group]) -> dict[Group, float]:
        """Give how much speaks for each group; `groups` names the group of each place.

        Only differences between groups mean something; they are about as large for long questions as for
        short ones.
        """
        sizes: dict[Group, int] = {}
        for place, size in self._sizes.items():
            sizes[groups[place]] = sizes.get(groups[place], 0) + size
        found = dict.fromkeys(sizes, 0.0)
        known = {sign: count for sign, count in _counted(words).items() if sign in self._places}
        weights = {
            sign: count * (PIECE_WEIGHT if sign.startswith(MARK) else 1.0) for sign, count in known.items()
        }
        for sign, weight in weights.items():
            held: dict[Group, int] = {}
            for place, count in self._places[sign].items():
                held[groups[place]] = held.get(groups[place], 0) + count
            lent = SMOOTH * sum(held.values()) / self._whole
            for group, count in held.items():
                found[group] += weight * log(1 + count / lent)
        every = sum(weights.values())
        return {
            group: (sum_ - every * log(sizes[group] + SMOOTH)) / sqrt(every or 1.0)
            for group, sum_ in found.items()
        }


def standard(values: Iterable[float]) -> list[float]:
    """Give values in standard deviations from their mean: so unlike scores can be added."""
    given = list(values)
    mean, deviation = fmean(given), pstdev(given) or 1.0
    return [(value - mean) / deviation for value in given]


def _counted(words: list[str]) -> dict[str, int]:
    said = Counter(words)
    count: dict[str, int] = dict(said)
    for word, times in said.items():
        for piece in pieces(word):
            count[MARK + piece] = count.get(MARK + piece, 0) + times
    return count
