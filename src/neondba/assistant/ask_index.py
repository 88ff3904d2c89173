"""Find the passages that answer a question: by words, by pieces of words, by how each skill is asked."""

from __future__ import annotations

import sqlite3
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import log
from typing import Final

from neondba.assistant.ask_kept import Kept
from neondba.assistant.ask_leaning import Leaning, count, standard
from neondba.assistant.ask_words import telling, widened, words_of, words_read
from neondba.assistant.passage import Passage, not_ours, passages

WEIGHTS: Final = (2.0, 1.0, 0.5)
"""Of a passage's title, its text and its skill's description."""
OTHERS: Final = 0.3
"""What the second and third nearest question beside a passage count against the nearest."""
ALIKE: Final = 0.5
"""Share of common words, plain ones too, from which a question counts as one that is written down."""
SAME: Final = 6.0
"""What a question that is written down word for word adds."""
NEAREST: Final = 40
"""So many written questions are compared with one that is asked, the nearest by words."""
PAGE: Final = 0.15
"""What a passage's text counts beside the questions that are written for it; all in standard deviations."""
PHRASE: Final = 0.4
"""The same for the nearest of these questions."""
SKILL: Final = 0.6
"""The same for the way the whole skill is asked."""
TABLES: Final = (
    "page using fts5(title, text, skill, tokenize='porter', content='')",
    "phrase using fts5(asked, tokenize='porter', content='')",
)
NAMED: Final = 1.0
"""What a word of databases adds for a question being ours."""
FOREIGN: Final = 2.0
"""What the name of another product, without one of ours, takes away."""
WRITTEN: Final = 0.6
"""Share of common words from which a written question makes this one ours."""
LEAST: Final = 0.4
"""Below this a question is not for us: decision 17 says what it costs on either side."""
SURE: Final = 8.0
"""So far before what is nobody's, a passage makes a question ours."""
OURS: Final = "ours"
THEIRS: Final = "theirs"


@dataclass(frozen=True)
class Hit:
    """A passage that may answer."""

    passage: Passage
    score: float


class Index:
    """The passages, searchable."""

    def __init__(
        self,
        over: tuple[Passage, ...],
        descriptions: dict[str, str],
        not_ours: tuple[str, ...] = (),
        kept: Kept | None = None,
    ) -> None:
        self._passages = over
        written = [(each.title, *each.asked) for each in over]
        self._places = [number for number, texts in enumerate(written) for _ in texts]
        self._asked = [text for texts in written for text in texts]
        self._skills = [*(each.skill for each in over), THEIRS]
        self._sides = [*(OURS for _ in over), THEIRS]
        found = kept.open() if kept is not None else None
        self._db = found or self._built([*written, not_ours], descriptions)
        if kept is not None and found is None:
            kept.save(self._db)
        self._leaning = Leaning(self._db)

    def _built(self, written: list[tuple[str, ...]], descriptions: dict[str, str]) -> sqlite3.Connection:
        db = sqlite3.connect(":memory:", check_same_thread=False)
        for table in TABLES:
            db.execute(f"create virtual table {table}")
        for number, each in enumerate(self._passages):
            row = (number, each.title, each.text, descriptions.get(each.skill, ""))
            db.execute("insert into page (rowid, title, text, skill) values (?, ?, ?, ?)", row)
        db.executemany("insert into phrase (rowid, asked) values (?, ?)", enumerate(self._asked))
        # Joined, since reading many short texts costs more than one long one.
        count(db, [words_of("\n".join(texts)) for texts in written])
        db.commit()
        return db

    def search(self, question: str, most: int = 5) -> list[Hit]:
        """Give the passages that fit best, the best first."""
        words = telling(question)
        if not words:
            return []
        same = self._same(question)
        asked = words_of(question)
        places, _ = self._by_passage(asked)
        skills = self._leaning.of(asked, self._skills)
        skills.pop(THEIRS, None)
        lean = dict(zip(skills, standard(skills.values()), strict=True))
        page, phrase = map(standard, self._signs(words))
        scores = [
            place
            + PAGE * page[number]
            + PHRASE * phrase[number]
            + SKILL * lean[each.skill]
            + same.get(number, 0.0)
            for number, (each, place) in enumerate(
                zip(self._passages, standard(places.values()), strict=True)
            )
        ]
        ranked = sorted(range(len(scores)), key=lambda number: -scores[number])[:most]
        return [Hit(self._passages[number], scores[number]) for number in ranked]

    def covered(self, question: str, passage: Passage) -> float:
        """Give the share of a question's telling words that a passage holds, 0 to 1; rare ones count more."""
        number = self._passages.index(passage)
        rarity = {word: self._rarity(word) for word in telling(question)}
        held = sum(weight for word, weight in rarity.items() if self._holds(number, word))
        return held / (sum(rarity.values()) or 1.0)

    def is_ours(self, question: str) -> bool:
        """Tell whether a question is about a database like this one."""
        known, words = words_read(), words_of(question)
        foreign = not known.others.isdisjoint(words) and known.ours.isdisjoint(words)
        named = NAMED if any(word in known.domain or word.startswith("pg_") for word in words) else 0.0
        sides = self._leaning.of(words, self._sides)
        if sides.get(OURS, 0.0) - sides.get(THEIRS, 0.0) + named - FOREIGN * foreign >= LEAST:
            return True
        if not foreign:
            places, theirs = self._by_passage(words)
            if max(places.values(), default=0.0) - theirs >= SURE:
                return True
        return max(self._same(question).values(), default=0.0) >= SAME * WRITTEN**2

    def _by_passage(self, words: list[str]) -> tuple[dict[int, float], float]:
        """Give how much speaks for each passage, and how much for none."""
        places = self._leaning.of(words, range(len(self._passages) + 1))
        theirs = places.pop(len(self._passages), 0.0)
        return places, theirs

    def _signs(self, words: list[str]) -> tuple[list[float], list[float]]:
        """Score each passage by its text and by the nearest questions beside it."""
        matching = _any_of(widened(words))
        weights = ", ".join(map(str, WEIGHTS))
        page = f"select rowid, -bm25(page, {weights}) from page where page match ?"  # noqa: S608
        pages = [0.0] * len(self._passages)
        for number, score in self._db.execute(page, (matching,)):
            pages[number] = score
        phrase = "select rowid, -bm25(phrase) from phrase where phrase match ?"
        return pages, self._nearest(phrase, matching)

    def _nearest(self, query: str, matching: str) -> list[float]:
        """Score passages by the questions beside them: the nearest counts, the next two a little."""
        near: list[list[float]] = [[] for _ in self._passages]
        for row, score in self._db.execute(query, (matching,)):
            near[self._places[row]].append(score)
        scores = (sorted(each, reverse=True)[:3] for each in near)
        return [sum(each[:1]) + OTHERS * sum(each[1:]) for each in scores]

    def _same(self, question: str) -> dict[int, float]:
        """Give what passages gain beside which the question is written down, nearly as it was asked."""
        said, found = frozenset(words_of(question)), dict[int, float]()
        nearest = f"select rowid from phrase where phrase match ? order by rank limit {NEAREST}"  # noqa: S608
        words = widened(telling(question))
        for (row,) in self._db.execute(nearest, (_any_of(words),)) if words else ():
            written = frozenset(words_of(self._asked[row]))
            share = len(said & written) / len(said | written)
            if share >= ALIKE:
                place = self._places[row]
                found[place] = max(found.get(place, 0.0), SAME * share**2)
        return found

    def _rarity(self, word: str) -> float:
        count = self._count("page", word)
        return log((len(self._passages) + 1) / (count + 0.5))

    def _holds(self, number: int, word: str) -> bool:
        """Tell whether a passage, or a question beside it, has a word."""
        first, behind = bisect_left(self._places, number), bisect_right(self._places, number)
        return bool(
            self._count("page", word, number, number) or self._count("phrase", word, first, behind - 1)
        )

    def _count(self, table: str, word: str, first: int = 0, last: int = sys.maxsize) -> int:
        counted = f"select count(*) from {table} where {table} match ? and rowid between ? and ?"  # noqa: S608
        [(count,)] = self._db.execute(counted, (_any_of(widened([word])), first, last))
        return int(count)


@cache
def index() -> Index:
    """Give the index over all skills: as it was kept, or built and kept."""
    from neondba.assistant.skill import skills

    described = {skill.name: skill.description for skill in skills().values()}
    return Index(passages(), described, not_ours(), Kept())


def _any_of(words: Iterable[str]) -> str:
    return " OR ".join(f'"{word}"' for word in words)
