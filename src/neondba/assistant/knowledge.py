"""Facts with their sources: figures from the dated tables, marks that name a page or an executed fact.

In a skill's text `{{limit:max_client_conn}}` stands for a figure, `[^pool]` for a source of
`sources.toml`, `[^fact:ID]` for an executed fact, `[^shown:tests/….py]` for what a test shows. `rendered`
puts the figures in and explains the marks at the end of the text.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from neondba.assistant.passage import NOTE
from neondba.neon import limits, plans, prices

FIGURE: Final = re.compile(r"\{\{(?P<name>[a-z]+:[A-Za-z0-9_. -]+)\}\}")
MARK: Final = re.compile(r"\[\^(?P<tag>[^\]\s]+)\]")
SECTION: Final = re.compile(r'^\["?(?P<tag>[^"\]]+)"?\]$', re.MULTILINE)
"""Where a page begins in `sources.toml`."""
_SOURCES: Final = Path(__file__).with_name("sources.toml")


@dataclass(frozen=True)
class Source:
    """Where a fact comes from."""

    tag: str
    title: str
    address: str
    date: str

    @property
    def line(self) -> str:
        """Name it in one line."""
        return ", ".join(part for part in (self.title, self.date, self.address) if part)


@dataclass(frozen=True)
class Figure:
    """A price, limit or formula as it stands in its table."""

    value: str
    source: str
    dated: str


@cache
def _written() -> dict[str, str]:
    """Give what is written of each page, by its tag: all of it as TOML takes longer than an answer."""
    text = _SOURCES.read_text(encoding="utf-8")
    starts = [*SECTION.finditer(text)]
    ends = [*(each.start() for each in starts[1:]), len(text)]
    return {one["tag"]: text[one.end() : end] for one, end in zip(starts, ends, strict=True)}


@cache
def page(tag: str) -> Source | None:
    """Give a page that facts are taken from; `None` if there is none with this tag."""
    written = _written().get(tag)
    return None if written is None else Source(tag, **tomllib.loads(written))


def source(tag: str) -> Source | None:
    """Give what a mark stands for; `None` if it stands for nothing."""
    kind, _, rest = tag.partition(":")
    if kind == "fact" and rest:
        from neondba.postgres.facts import facts

        found = facts().get(rest)
        return Source(tag, f"Executed fact {rest}", "neondba fact show " + rest, "") if found else None
    if kind == "shown" and rest:
        return Source(tag, f"Shown by {rest}", "", "")
    return page(tag)


@cache
def figures() -> dict[str, Figure]:
    """Give every price, limit and allowance by its name in the text."""
    found = {f"limit:{each.name}": Figure(each.formula, each.source, each.dated) for each in limits.PUBLISHED}
    for line in plans.ALLOWANCES:
        for plan in prices.PLANS:
            value = getattr(line, plan)
            found[f"plan:{plan}.{line.name}"] = Figure(value, line.source, line.dated)
    for name, charged in prices.PLANS.items():
        for field in ("compute_unit_hour", "storage_gb_month", "history_gb_month", "snapshot_gb_month",
                      "extra_branch_month"):  # fmt: skip
            amount = f"${getattr(charged, field):.3f}".removesuffix("0")
            found[f"price:{name}.{field}"] = Figure(amount, "Neon docs, plans", str(prices.READ_ON))
    return found


def filled(text: str) -> str:
    """Put the figures of the dated tables where a text names them."""
    return FIGURE.sub(lambda found: figures()[found["name"]].value, text)


def rendered(text: str) -> str:
    """Give a text with its figures in and its marks explained.

    Raises:
        KeyError: a figure or a source that the text names does not exist.
    """
    shown = filled(text)
    notes = [f"[^{tag}]: {_source(tag).line}" for tag in sorted({m["tag"] for m in MARK.finditer(shown)})]
    tables = sorted({(each.source, each.dated) for each in _used(text)})
    notes += [f"Figures: {title}, {dated}." for title, dated in tables]
    return shown if not notes else shown.rstrip("\n") + "\n\n" + "\n".join(notes) + "\n"


def published(text: str) -> str:
    """Give a skill's page as it is read and installed: figures in, marks explained, our notes out."""
    return rendered(NOTE.sub("", text))


def named(text: str) -> list[Source]:
    """Give the sources that a text names, figures' tables among them, each once."""
    found = {tag: _source(tag) for tag in (m["tag"] for m in MARK.finditer(text))}
    for each in _used(text):
        found.setdefault(each.source, _page(each))
    by_title: dict[str, Source] = {}
    for one in found.values():
        by_title.setdefault(one.title, one)
    return list(by_title.values())


def _used(text: str) -> list[Figure]:
    return [figures()[found["name"]] for found in FIGURE.finditer(text)]


def _page(figure: Figure) -> Source:
    """Find a figure's page among the sources, so that it has an address and stands there once."""
    begins = f'title = "{figure.source}'
    found = [one for tag, text in _written().items() if begins in text and (one := page(tag)) is not None]
    nearest = min(found, key=lambda one: len(one.title), default=None)
    title, address = (nearest.title, nearest.address) if nearest else (figure.source, "")
    return Source(figure.source, title, address, figure.dated)


def _source(tag: str) -> Source:
    found = source(tag)
    if found is None:
        raise KeyError(tag)
    return found
