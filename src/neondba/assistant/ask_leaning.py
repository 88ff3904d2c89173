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
LEAST: Final = -0.5
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
        seen = {kind: _counted(count) for kind, count in words.items()}
        total: Counter[str] = Counter()
        for count in seen.values():
            total.update(count)
        self._weights: dict[str, dict[str, float]] = {}
        for kind, own in seen.items():
            rest = total.total() - own.total() + SMOOTH * len(total)
            self._weights[kind] = {
                piece: -log((count - own[piece] + SMOOTH) / rest) for piece, count in total.items()
            }

    def of(self, question: str) -> dict[str, float]:
        """Give how much speaks for each kind; only differences between kinds mean something."""
        asked = _counted(Counter(words_of(question)))
        known = {
            kind: [count * weights[piece] for piece, count in asked.items() if piece in weights]
            for kind, weights in self._weights.items()
        }
        return {kind: sum(weights) / sqrt(len(weights) or 1) for kind, weights in known.items()}


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
