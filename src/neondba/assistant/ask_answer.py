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
    return Answered(
        kind="answer",
        said="\n\n".join(told),
        steps=tuple(steps),
        snippets=tuple(blocks),
        trade_offs=tuple(trades),
        ask_for_help=tuple(helps),
        sources=tuple(each.line for each in knowledge.named(best.text)),
        passages=tuple(passed(hit.passage) for hit in hits[:NEAR]),
    )


def passed(passage: Passage) -> Passed:
    """Name a passage, with its first sentence."""
    first = next((text for kind, text in _parts(passage) if kind == "prose"), "")
    sentence = SENTENCE.match(_flat(first))
    short = sentence[0] if sentence else ""
    return Passed(
        skill=passage.skill,
        title=passage.title,
        address=passage.address,
        short=short if len(short) <= SHORT and not STEP.match(first) else "",
    )


def _parts(passage: Passage) -> Iterator[tuple[str, str]]:
    """Give paragraphs as prose, and fenced blocks and tables as blocks, in their order."""
    text = knowledge.filled(passage.text)
    at = 0
    for fence in FENCE.finditer(text):
        yield from _prose(text[at : fence.start()])
        yield "block", "\n".join(fence[0].splitlines()[1:-1])
        at = fence.end()
    yield from _prose(text[at:])


def _prose(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"\n\s*\n", knowledge.MARK.sub("", text)):
        if part.strip():
            yield ("block" if part.lstrip().startswith("|") else "prose"), part.strip()


def _flat(text: str) -> str:
    return " ".join(text.split())
