"""Find the passages that answer a question: SQLite's full-text search over the skills, in memory."""

from __future__ import annotations

import re
import sqlite3
import tomllib
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from typing import Final

from neondba.assistant.passage import Passage, passages

WORD: Final = re.compile(r"[a-z0-9_]+")
WEIGHTS: Final = (2.0, 1.0, 0.5)
"""Of a passage's title, its text and its skill's description."""
PHRASED: Final = 1.6
"""How much a question written beside a passage counts against the passage itself."""


OTHERS: Final = 0.3
"""What the second and third nearest question beside a passage count against the nearest."""
VOTED: Final = 0.7
"""How much the nearest questions' skills count: tuned on the public questions."""
NEAREST: Final = 150
ALIKE: Final = 0.5
"""Share of common words, plain ones too, from which a question counts as one that is written down."""
SAME: Final = 12.0
"""What a question that is written down word for word adds."""


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
        self._asked = {
            number: [set(WORD.findall(asked.lower())) for asked in (passage.title, *passage.asked)]
            for number, passage in enumerate(over, start=1)
        }
        self._db = sqlite3.connect(":memory:", check_same_thread=False)
        self._db.execute("create virtual table page using fts5(title, text, skill, tokenize='porter')")
        self._db.execute("create virtual table phrase using fts5(asked, passage, tokenize='porter')")
        self._db.execute("create virtual table word using fts5(text, tokenize='porter')")
        for number, passage in enumerate(over):
            title = passage.title + " " + " ".join(passage.asked)
            described = descriptions.get(passage.skill, "")
            self._db.execute(
                "insert into page (rowid, title, text, skill) values (?, ?, ?, ?)",
                (number + 1, passage.title, passage.text, described),
            )
            self._db.executemany(
                "insert into phrase (asked, passage) values (?, ?)",
                [(asked, str(number + 1)) for asked in (passage.title, *passage.asked)],
            )
            whole = f"{title} {passage.text} {described}"
            self._db.execute("insert into word (rowid, text) values (?, ?)", (number + 1, whole))

    def search(self, question: str, most: int = 5) -> list[Hit]:
        """Give the passages that fit best, the best first."""
        words = telling(question)
        if not words:
            return []
        matching = " OR ".join(f'"{word}"' for word in _widened(words))
        weights = ", ".join(map(str, WEIGHTS))
        page = f"select rowid, -bm25(page, {weights}) from page where page match ?"  # noqa: S608
        scores: dict[int, float] = dict(self._db.execute(page, (matching,)).fetchall())
        phrase = "select passage, -bm25(phrase) from phrase where phrase match ? order by bm25(phrase)"
        asked = [(int(n), score) for n, score in self._db.execute(phrase, (f"asked : ({matching})",))]
        for number, phrased in self._phrased(question, asked).items():
            scores[number] = scores.get(number, 0.0) + phrased
        votes = self._votes(asked)
        for number in scores:
            scores[number] *= 1 + VOTED * votes.get(self._passages[number - 1].skill, 0.0)
        ranked = sorted(scores, key=lambda number: -scores[number])[:most]
        rarity = {word: self._rarity(word) for word in words}
        return [
            Hit(self._passages[number - 1], scores[number], self._covered(number, rarity))
            for number in ranked
        ]

    def _phrased(self, question: str, asked: list[tuple[int, float]]) -> dict[int, float]:
        """Score passages by the questions beside them: the nearest counts, the next two a little."""
        near: dict[int, list[float]] = {}
        for number, score in asked:
            near.setdefault(number, []).append(score)
        said = set(WORD.findall(question.lower()))
        alike = {n: max(_alike(said, each) for each in written) for n, written in self._asked.items()}
        found = {}
        for number in {*near, *(number for number, share in alike.items() if share >= ALIKE)}:
            best, *others = near.get(number, [0.0])
            found[number] = PHRASED * (best + OTHERS * sum(others[:2])) + SAME * alike[number] ** 2
        return found

    def _votes(self, asked: list[tuple[int, float]]) -> dict[str, float]:
        """Give each skill's share, 0 to 1, in the questions that come nearest: many speak for a subject."""
        votes: dict[str, float] = {}
        for number, score in asked[:NEAREST]:
            skill = self._passages[number - 1].skill
            votes[skill] = votes.get(skill, 0.0) + score
        most = max(votes.values(), default=1.0)
        return {skill: share / most for skill, share in votes.items()}

    def _rarity(self, word: str) -> float:
        [(count,)] = self._db.execute("select count(*) from word where word match ?", (_any_of(word),))
        return log((len(self._passages) + 1) / (count + 0.5))

    def _covered(self, number: int, rarity: dict[str, float]) -> float:
        held = 0.0
        for word, weight in rarity.items():
            row = self._db.execute(
                "select 1 from word where word match ? and rowid = ?", (_any_of(word), number)
            ).fetchone()
            held += weight if row else 0.0
        return held / (sum(rarity.values()) or 1.0)


@dataclass(frozen=True)
class Words:
    """How words are read: `words.toml`."""

    plain: frozenset[str]
    domain: frozenset[str]
    vague: frozenset[str]
    others: frozenset[str]
    ours: frozenset[str]
    also: dict[str, str]


@cache
def words_read() -> Words:
    """Read `words.toml` once."""
    read = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
    lists = {name: frozenset(read[name].split()) for name in ("plain", "domain", "vague", "others", "ours")}
    return Words(also=read["also"], **lists)


def concerns_us(question: str) -> bool:
    """Tell whether a question is about a database like this one."""
    known, said = words_read(), set(WORD.findall(question.lower()))
    is_domain = bool(said & known.domain) or len(said & known.vague) > 1
    return is_domain and (not said & known.others or bool(said & known.ours))


@cache
def index() -> Index:
    """Build the index over all skills once."""
    from neondba.assistant.skill import skills

    return Index(passages(), {skill.name: skill.description for skill in skills().values()})


def telling(question: str) -> list[str]:
    """Give the words of a question that say what it is about, each once."""
    plain = words_read().plain
    return list(dict.fromkeys(word for word in WORD.findall(question.lower()) if word not in plain))


def _widened(words: list[str]) -> list[str]:
    also = words_read().also
    return list(dict.fromkeys([*words, *(also[word] for word in words if word in also)]))


def _alike(said: set[str], written: set[str]) -> float:
    return len(said & written) / (len(said | written) or 1)


def _any_of(word: str) -> str:
    return " OR ".join(f'"{each}"' for each in _widened([word]))
