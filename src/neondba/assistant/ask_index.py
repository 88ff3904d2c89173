"""Find the passages that answer a question: by words, by pieces of words, by how each skill is asked."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import log
from typing import Final

from neondba.assistant.ask_leaning import Leaning, standard
from neondba.assistant.ask_words import pieces, telling, widened, words_of
from neondba.assistant.passage import Passage, passages

WEIGHTS: Final = (2.0, 1.0, 0.5)
"""Of a passage's title, its text and its skill's description."""
OTHERS: Final = 0.3
"""What the second and third nearest question beside a passage count against the nearest."""
ALIKE: Final = 0.5
"""Share of common words, plain ones too, from which a question counts as one that is written down."""
SAME: Final = 6.0
"""What a question that is written down word for word adds."""
LEANING: Final = 4.0
"""How much a skill's way of being asked counts against each of the other signs: decision 17."""


@dataclass(frozen=True)
class Hit:
    """A passage that may answer."""

    passage: Passage
    score: float
    covered: float
    """Share of the question's telling words that it holds, rare ones counting more; 0 to 1."""


class Index:
    """The passages, searchable."""

    def __init__(self, over: tuple[Passage, ...], descriptions: dict[str, str]) -> None:
        self._passages = over
        asked = [(number, text) for number, each in enumerate(over) for text in (each.title, *each.asked)]
        self._words = [(number, frozenset(words_of(text))) for number, text in asked]
        self._leaning = Leaning((over[number].skill, text) for number, text in asked)
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        run = self._db.execute
        run("create virtual table page using fts5(title, text, skill, tokenize='porter')")
        run("create virtual table phrase using fts5(asked, passage unindexed, tokenize='porter')")
        run(
            "create virtual table piece using fts5"
            "(asked, passage unindexed, tokenize=\"ascii tokenchars '_'\", detail=none)"
        )
        run("create virtual table word using fts5(text, tokenize='porter')")
        for number, each in enumerate(over):
            row = (number, each.title, each.text, descriptions.get(each.skill, ""))
            run("insert into page (rowid, title, text, skill) values (?, ?, ?, ?)", row)
            whole = " ".join((*row[1:], *each.asked))
            run("insert into word (rowid, text) values (?, ?)", (number, whole))
        self._db.executemany("insert into phrase (passage, asked) values (?, ?)", asked)
        cut = ((number, " ".join(_cut(text))) for number, text in asked)
        self._db.executemany("insert into piece (passage, asked) values (?, ?)", cut)

    def search(self, question: str, most: int = 5) -> list[Hit]:
        """Give the passages that fit best, the best first."""
        words = telling(question)
        if not words:
            return []
        leans = self._leaning.of(question)
        leaning = dict(zip(leans, standard(leans.values()), strict=True))
        same = self._same(question)
        signs = zip(*map(standard, self._signs(question, words)), strict=True)
        scores = [
            sum(sign) + LEANING * leaning[each.skill] + same.get(number, 0.0)
            for number, (each, sign) in enumerate(zip(self._passages, signs, strict=True))
        ]
        ranked = sorted(range(len(scores)), key=lambda number: -scores[number])[:most]
        rarity = {word: self._rarity(word) for word in words}
        return [
            Hit(self._passages[number], scores[number], self._covered(number, rarity)) for number in ranked
        ]

    def _signs(self, question: str, words: list[str]) -> list[list[float]]:
        """Score each passage by its text, by the questions beside it, and by pieces of their words."""
        matching = _any_of(widened(words))
        weights = ", ".join(map(str, WEIGHTS))
        page = f"select rowid, -bm25(page, {weights}) from page where page match ?"  # noqa: S608
        phrase = "select passage, -bm25(phrase) from phrase where phrase match ?"
        piece = "select passage, -bm25(piece) from piece where piece match ?"
        return [
            self._nearest(page, matching),
            self._nearest(phrase, matching),
            self._nearest(piece, _any_of(dict.fromkeys(_cut(question)))),
        ]

    def _nearest(self, query: str, matching: str) -> list[float]:
        """Score passages by the rows beside them: the nearest counts, the next two a little."""
        near: list[list[float]] = [[] for _ in self._passages]
        for number, score in self._db.execute(query, (matching,)):
            near[number].append(score)
        scores = (sorted(each, reverse=True)[:3] for each in near)
        return [sum(each[:1]) + OTHERS * sum(each[1:]) for each in scores]

    def _same(self, question: str) -> dict[int, float]:
        """Give what passages gain beside which the question is written down, nearly as it was asked."""
        said, found = frozenset(words_of(question)), dict[int, float]()
        for number, written in self._words:
            share = len(said & written) / (len(said | written) or 1)
            if share >= ALIKE:
                found[number] = max(found.get(number, 0.0), SAME * share**2)
        return found

    def _rarity(self, word: str) -> float:
        [(count,)] = self._db.execute(
            "select count(*) from word where word match ?", (_any_of(widened([word])),)
        )
        return log((len(self._passages) + 1) / (count + 0.5))

    def _covered(self, number: int, rarity: dict[str, float]) -> float:
        held = 0.0
        for word, weight in rarity.items():
            row = self._db.execute(
                "select 1 from word where word match ? and rowid = ?", (_any_of(widened([word])), number)
            ).fetchone()
            held += weight if row else 0.0
        return held / (sum(rarity.values()) or 1.0)


@cache
def index() -> Index:
    """Build the index over all skills once."""
    from neondba.assistant.skill import skills

    return Index(passages(), {skill.name: skill.description for skill in skills().values()})


def _cut(text: str) -> list[str]:
    return [piece for word in words_of(text) for piece in pieces(word)]


def _any_of(words: Iterable[str]) -> str:
    return " OR ".join(f'"{word}"' for word in words)
