"""Branches as a list to read: age, size, cost, owner, last use."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from shlex import quote
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel

from neondba.core.context import Context
from neondba.core.context_file import nearest
from neondba.neon.choose import project_for
from neondba.neon.models import Branch, Endpoint, Project
from neondba.neon.prices import GB, READ_ON, Prices, month_of, of_plan

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient


HEAD: Final = ("", "branch", "age", "size", "$/month", "made by", "last used", "expires")


class BranchLine(BaseModel):
    """One branch in a list."""

    name: str
    id: str
    parent: str | None
    depth: int
    """How many branches it hangs below: 0 for a root."""
    state: str
    default: bool
    protected: bool
    current: bool
    """True for the branch that this folder's `.neon` names."""
    host: str | None
    """Where its compute answers; `None` without one."""
    created_at: datetime
    created_by: str | None
    last_used_at: datetime | None
    """When its compute was last active; `None` where Neon does not say."""
    expires_at: datetime | None
    size_bytes: int | None
    month_cost: float
    """Estimate in US dollars."""


class BranchList(BaseModel):
    """Every branch of a project, parents before children."""

    project: str
    branches: tuple[BranchLine, ...]
    prices: str
    """Which plan's prices the costs are from."""
    seen_at: datetime
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:
        """Show a table; the tree by indentation."""
        rows: list[tuple[str, ...]] = [
            ("", "branch", "age", "size", "$/month", "made by", "last used", "expires")
        ]
        rows += [self._row(line) for line in self.branches]
        widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        lines = [
            "  ".join(f"{cell:<{size}}" for cell, size in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        total = sum(line.month_cost for line in self.branches)
        foot = f"Together about ${total:.2f} a month. {self.prices}"
        marks = "* is the branch of this folder. " if any(line.current for line in self.branches) else ""
        following = [f"Next: {each}" for each in self.next]
        said = textwrap.wrap(f"{marks}{foot}", max(40, width))
        return "\n".join([f"Project {self.project}", "", *lines, "", *said, *following])

    def _row(self, line: BranchLine) -> tuple[str, ...]:
        words = [word for word, so in (("default", line.default), ("protected", line.protected)) if so]
        if line.state != "ready":
            words.append(line.state)
        name = "  " * line.depth + line.name + (f" ({', '.join(words)})" if words else "")
        return (
            "*" if line.current else "",
            name,
            ago(self.seen_at - line.created_at),
            spell_size(line.size_bytes),
            f"{line.month_cost:.2f}",
            line.created_by or "-",
            used(line.last_used_at, self.seen_at, has_compute=line.host is not None),
            "-" if line.expires_at is None else f"in {ago(line.expires_at - self.seen_at)}",
        )


def ago(length: timedelta) -> str:
    """Give a length of time in its two largest units at most."""
    seconds = max(0, int(length.total_seconds()))
    for unit, size, below, smaller in (("d", 86400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 0)):
        if seconds >= size:
            rest = seconds % size // smaller if smaller else 0
            return f"{seconds // size}{unit}" + (f"{rest}{below}" if rest and seconds < 10 * size else "")
    return f"{seconds}s"


def spell_size(count: int | None) -> str:
    """Give a size in decimal units, as Neon bills it."""
    if count is None:
        return "-"
    return f"{count / GB:.1f} GB" if count >= GB / 10 else f"{count / 1e6:.0f} MB"


def used(last: datetime | None, now: datetime, *, has_compute: bool) -> str:
    """Say when a branch was last used."""
    if not has_compute:
        return "no compute"
    return "never" if last is None else f"{ago(now - last)} ago"


def price_words(prices: Prices, *, local: bool) -> str:
    """Say where the amounts come from."""
    whose = f"{prices.plan.capitalize()} plan, prices of {READ_ON}"
    how = "sizes as they are, compute of this period carried forward"
    return f"On Neon's {whose} (this machine charges nothing): {how}." if local else f"{whose}: {how}."


def last_use(endpoints: Iterable[Endpoint]) -> datetime | None:
    """Give when any of a branch's computes was last active."""
    return max((each.last_active for each in endpoints if each.last_active), default=None)


class Costs:
    """Estimates for the branches of one project."""

    def __init__(self, client: NeonClient, project: Project, there: list[Branch], now: datetime) -> None:
        whole = client.project(project.id)
        self.prices = of_plan(whole.owner.subscription_type if whole.owner else None)
        self._begun, self._now = whole.consumption_period_start, now
        self._children = sum(each.parent_id is not None for each in there)

    def of(self, branch: Branch) -> float:
        """Give what a branch costs by the month, to the cent."""
        found = month_of(
            branch, self.prices, children=self._children, period_start=self._begun, now=self._now
        )
        return round(found.total, 2)


def listed(client: NeonClient, ctx: Context) -> BranchList:
    """List the branches of the project."""
    project, now = project_for(client, ctx), ctx.clock.now()
    there = client.branches(project.id)
    computes: dict[str, list[Endpoint]] = {}
    for each in client.endpoints(project.id):
        computes.setdefault(each.branch_id, []).append(each)
    costs = Costs(client, project, there, now)
    names = {each.id: each.name for each in there}
    context = nearest(ctx.folder)
    current = context.branch if context and context.project == project.id else None
    lines = [
        _line(each, depth, names, computes.get(each.id, []), costs.of(each), current)
        for each, depth in in_tree(there)
    ]
    return BranchList(
        project=project.name,
        branches=tuple(lines),
        prices=price_words(costs.prices, local=client.is_local),
        seen_at=now,
        next=(f"neondba branch create NAME --project {quote(project.name)}",),
    )


def _line(
    branch: Branch,
    depth: int,
    names: Mapping[str, str],
    computes: list[Endpoint],
    cost: float,
    current: str | None,
) -> BranchLine:
    return BranchLine(
        name=branch.name,
        id=branch.id,
        parent=names.get(branch.parent_id or ""),
        depth=depth,
        state=branch.current_state,
        default=branch.default,
        protected=branch.protected,
        current=current in (branch.name, branch.id),
        host=next((each.host for each in computes if each.type == "read_write"), None),
        created_at=branch.created_at,
        created_by=branch.created_by.name if branch.created_by else None,
        last_used_at=last_use(computes),
        expires_at=branch.expires_at,
        size_bytes=branch.logical_size,
        month_cost=cost,
    )


def in_tree(there: list[Branch]) -> list[tuple[Branch, int]]:
    """Order branches as a tree, the older first, each with its depth."""
    ids = {each.id for each in there}
    below: dict[str | None, list[Branch]] = {}
    for each in sorted(there, key=lambda one: (one.created_at, one.name)):
        below.setdefault(each.parent_id if each.parent_id in ids else None, []).append(each)
    ordered: list[tuple[Branch, int]] = []
    waiting = [(each, 0) for each in reversed(below.get(None, []))]
    while waiting:
        branch, depth = waiting.pop()
        ordered.append((branch, depth))
        waiting += [(each, depth + 1) for each in reversed(below.get(branch.id, []))]
    return ordered
