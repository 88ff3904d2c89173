"""Which way a question leans: to which skill, and whether it is for us at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache
from math import log, sqrt
from statistics import fmean, pstdev
from typing import Final

from neondba.assistant.ask_words import pieces, words_of, words_read
from neondba.assistant.passage import not_ours, passages

SMOOTH: Final = 0.5
"""What a piece of a word that was never seen counts as."""
NAMED: Final = 1.0
"""What a word of databases adds for a question being ours."""
LEAST: Final = 0.4
"""Below this a question is not for us: decision 17 says what it costs on either side."""
OURS: Final = "ours"
THEIRS: Final = "theirs"


class Leaning:
    """How questions of several kinds are asked: a naive Bayes classifier of what each kind is *not*.

    Complement naive Bayes (Rennie, Shih, Teevan and Karger, 2003) over pieces of words.
    """

    def __init__(self, asked: Iterable[tuple[str, str]]) -> None:
        words: dict[str, Counter[str]] = {}
        for kind, question in asked:
            words.setdefault(kind, Counter()).update(words_of(question))
        self._seen = {kind: _counted(count) for kind, count in words.items()}
        self._total: Counter[str] = Counter()
        for count in self._seen.values():
            self._total.update(count)
        every = self._total.total() + SMOOTH * len(self._total)
        self._rest = {kind: every - own.total() for kind, own in self._seen.items()}

    def of(self, question: str) -> dict[str, float]:
        """Give how much speaks for each kind; only differences between kinds mean something."""
        asked = _counted(Counter(words_of(question)))
        known = {piece: count for piece, count in asked.items() if piece in self._total}
        return {
            kind: sum(count * self._weight(kind, piece) for piece, count in known.items())
            / sqrt(len(known) or 1)
            for kind in self._seen
        }

    def _weight(self, kind: str, piece: str) -> float:
        elsewhere = self._total[piece] - self._seen[kind][piece]
        return -log((elsewhere + SMOOTH) / self._rest[kind])


def concerns_us(question: str) -> bool:
    """Tell whether a question is about a database like this one."""
    known, said = words_read(), frozenset(words_of(question))
    if said & known.others and not said & known.ours:
        return False
    leaning = _whose().of(question)
    named = NAMED if said & known.domain else 0.0
    return leaning[OURS] - leaning[THEIRS] + named >= LEAST


def standard(values: Iterable[float]) -> list[float]:
    """Give values in standard deviations from their mean: so unlike scores can be added."""
    given = list(values)
    mean, deviation = fmean(given), pstdev(given) or 1.0
    return [(value - mean) / deviation for value in given]


@cache
def _whose() -> Leaning:
    ours = [(OURS, text) for each in passages() for text in (each.title, *each.asked)]
    return Leaning([*ours, *((THEIRS, text) for text in not_ours())])


def _counted(words: Counter[str]) -> Counter[str]:
    count: Counter[str] = Counter()
    for word, times in words.items():
        count[word] += times
        for piece in pieces(word):
            count[piece] += times
    return count
