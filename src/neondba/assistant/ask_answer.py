"""Lay a passage out as an answer: the short answer, steps with their blocks, trade-offs, sources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from neondba.assistant import knowledge
from neondba.assistant.ask_index import Hit
from neondba.assistant.ask_results import Answered, Passed
from neondba.assistant.passage import FENCE, Passage

STEP: Final = re.compile(r"^\d+\. (?P<text>.+?)(?=^\d+\. |\Z|^\S)", re.MULTILINE | re.DOTALL)
TRADE: Final = "Trade-off: "
HELP: Final = "Ask for help: "
SENTENCE: Final = re.compile(r".+?[.!?](?=\s|$)")
SHORT: Final = 160
"""Letters up to which a neighbouring passage says its first sentence."""
NEAR: Final = 4
"""So many passages are named."""
CLOSE: Final = 1.0
"""A second passage so near the first, in standard deviations, is the right one for every fourth question."""


def laid_out(hits: list[Hit]) -> Answered:
    """Answer with the first passage, and name the next ones."""
    best = hits[0].passage
    told: list[str] = []
    steps: list[str] = []
    blocks: list[str] = []
    trades: list[str] = []
    helps: list[str] = []
    for kind, text in _parts(best):
        if kind == "block" and steps and steps[-1].endswith(":"):
            steps[-1] += "\n" + text
        elif kind == "block":
            blocks.append(text)
        elif found := [_flat(step["text"]) for step in STEP.finditer(text)]:
            steps += found
        elif text.startswith(TRADE):
            trades.append(_flat(text.removeprefix(TRADE)))
        elif text.startswith(HELP):
            helps.append(_flat(text.removeprefix(HELP)))
        else:
            told.append(_flat(text))
    otherwise = _opening(hits[1].passage) if second_is_said(hits) else ""
    sources = (*knowledge.named(best.text), *knowledge.named(otherwise))
    return Answered(
        kind="answer",
        said="\n\n".join(told),
        steps=tuple(steps),
        snippets=tuple(blocks),
        trade_offs=tuple(trades),
        ask_for_help=tuple(helps),
        otherwise=_shown(otherwise),
        sources=tuple(dict.fromkeys(each.line for each in sources)),
        passages=tuple(passed(hit.passage) for hit in hits[:NEAR]),
    )


def second_is_said(hits: list[Hit]) -> bool:
    """Tell whether the second passage is so near the first that it may be the one that is meant."""
    return len(hits) > 1 and hits[0].score - hits[1].score < CLOSE


def passed(passage: Passage) -> Passed:
    """Name a passage, with its first sentence."""
    sentence = SENTENCE.match(_shown(_opening(passage)))
    short = sentence[0] if sentence else ""
    return Passed(
        skill=passage.skill,
        title=passage.title,
        address=passage.address,
        short=short if len(short) <= SHORT else "",
    )


def _opening(passage: Passage) -> str:
    """Give the first paragraph as it is written, with its marks; nothing where steps come first."""
    prose = (part for kind, part in _prose(FENCE.sub("\n\n", passage.text)) if kind == "prose")
    first = next(prose, "")
    return "" if STEP.match(first) else first


def _shown(text: str) -> str:
    return _flat(knowledge.MARK.sub("", knowledge.filled(text)))


def _parts(passage: Passage) -> Iterator[tuple[str, str]]:
    """Give paragraphs as prose, and fenced blocks and tables as blocks, in their order."""
    text = knowledge.MARK.sub("", knowledge.filled(passage.text))
    at = 0
    for fence in FENCE.finditer(text):
        yield from _prose(text[at : fence.start()])
        yield "block", "\n".join(fence[0].splitlines()[1:-1])
        at = fence.end()
    yield from _prose(text[at:])


def _prose(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"\n\s*\n", text):
        if part.strip():
            yield ("block" if part.lstrip().startswith("|") else "prose"), part.strip()


def _flat(text: str) -> str:
    return " ".join(text.split())
