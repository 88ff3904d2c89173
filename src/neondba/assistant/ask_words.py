"""How `ask` reads words: which tell nothing, which are ours, what people also call a thing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

WORD: Final = re.compile(r"[a-z0-9_]+")
PIECE: Final = 4
"""Letters of a piece of a word: endings, joined words and slips of the pen still share most of them."""


@dataclass(frozen=True)
class Words:
    """How words are read: `words.toml`."""

    plain: frozenset[str]
    domain: frozenset[str]
    others: frozenset[str]
    ours: frozenset[str]
    also: dict[str, str]


@cache
def words_read() -> Words:
    """Read `words.toml` once."""
    read = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
    lists = {name: frozenset(read[name].split()) for name in ("plain", "domain", "others", "ours")}
    return Words(also=read["also"], **lists)


def words_of(text: str) -> list[str]:
    """Give the words of a text, each as often as it stands there."""
    return WORD.findall(text.lower())


def telling(question: str) -> list[str]:
    """Give the words of a question that say what it is about, each once."""
    plain = words_read().plain
    return list(dict.fromkeys(word for word in words_of(question) if word not in plain))


def widened(words: Iterable[str]) -> list[str]:
    """Add what people also call these things."""
    also = words_read().also
    return list(dict.fromkeys(each for word in words for each in (word, also.get(word, word))))


@cache
def pieces(word: str) -> tuple[str, ...]:
    """Cut a word, with the ends marked, into overlapping pieces.

    >>> pieces("pool")
    ('0poo', 'pool', 'ool0')
    """
    whole = marked(word)
    return tuple(whole[at : at + PIECE] for at in range(max(1, len(whole) - PIECE + 1)))


def marked(word: str) -> str:
    """Mark the ends of a word."""
    return f"0{word}0"
