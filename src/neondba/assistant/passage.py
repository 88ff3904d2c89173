"""The skills cut into passages: each answers one question that people ask."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from neondba.assistant.skill import Skill, skills

HEADING: Final = re.compile(r"^## (?P<title>.+)$", re.MULTILINE)
NOTE: Final = re.compile(r"<!-- (?P<kind>asked|looks): (?P<text>.*?) -->\n?", re.DOTALL)
FENCE: Final = re.compile(r"^(?P<fence>`{3,}).*?^(?P=fence)$", re.MULTILINE | re.DOTALL)
LINKS: Final = "Reference"
"""The heading over a skill's links to its pages: it answers nothing."""


@dataclass(frozen=True)
class Passage:
    """One section of a skill."""

    skill: str
    page: str
    """The file inside the skill's folder."""
    title: str
    text: str
    """As it is written, without the notes."""
    asked: tuple[str, ...]
    """Questions that it answers, in people's words."""
    looks: tuple[str, ...]
    """Operations that only read and are worth running for whoever asks."""

    @property
    def address(self) -> str:
        """Give where it stands: `neon-connection-pooling/references/pooler.md#limits`."""
        anchor = re.sub(r"[^a-z0-9 -]", "", self.title.lower()).replace(" ", "-")
        return f"{self.skill}/{self.page}#{anchor}"


@cache
def passages() -> tuple[Passage, ...]:
    """Cut every skill, and add the further phrasings of each passage's questions."""
    cuts = (passage for skill in skills().values() for passage in cut(skill))
    return tuple(replace(each, asked=_joined(each.asked, phrasings().get(each.address, ()))) for each in cuts)


@cache
def phrasings() -> dict[str, tuple[str, ...]]:
    """Give the phrasings in `phrasings/`, by the address of the passage that answers them."""
    return {address: tuple(texts) for skill in skills() for address, texts in _listed_in(skill).items()}


@cache
def not_ours() -> tuple[str, ...]:
    """Give the questions that no passage answers, to know their like by."""
    return tuple(_listed_in("not-ours")[""])


def _listed_in(name: str) -> dict[str, list[str]]:
    """Read a list of questions under headings: plain lines, since TOML of this size is slow."""
    written = Path(__file__).with_name("phrasings") / f"{name}.md"
    heading, found = "", dict[str, list[str]]()
    for line in written.read_text(encoding="utf-8").splitlines() if written.exists() else ():
        if line.startswith("## "):
            heading = line.removeprefix("## ")
        elif line.startswith("- "):
            found.setdefault(heading, []).append(line.removeprefix("- "))
    return found


def cut(skill: Skill) -> Iterator[Passage]:
    """Cut one skill at its second headings; a `##` inside a fenced block is none."""
    for page, content in {"SKILL.md": skill.body, **skill.pages}.items():
        blind = FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), content)
        starts = list(HEADING.finditer(blind))
        for start, following in zip(starts, [*starts[1:], None], strict=True):
            if start["title"].strip() == LINKS:
                continue
            text = content[start.end() : following.start() if following else len(content)]
            notes = {note["kind"]: note["text"] for note in NOTE.finditer(text)}
            yield Passage(
                skill=skill.name,
                page=page,
                title=start["title"].strip(),
                text=NOTE.sub("", text).strip(),
                asked=_listed(notes.get("asked", ""), ";"),
                looks=_listed(notes.get("looks", ""), ","),
            )


def _joined(own: tuple[str, ...], further: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*own, *further)))


def _listed(text: str, separator: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(separator) if part.strip())
