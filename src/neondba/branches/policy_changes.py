"""Where branches differ from what the project's policy says, and how to make them fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from neondba.branches.choose import children_of
from neondba.branches.policy import BranchRule, Policy
from neondba.core.duration import spell

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import Branch, Endpoint

TOLERANCE: Final = timedelta(minutes=1)
"""Neon keeps expiries to the second, and clocks differ."""


class Difference(BaseModel):
    """One setting of one branch that is not as the policy says."""

    branch: str
    setting: str
    now: str
    wanted: str
    can_change: bool = True
    note: str | None = None
    """Why it cannot be changed, or what comes of it."""


@dataclass(frozen=True)
class Change:
    """A difference, and what takes it away where that can be done."""

    difference: Difference
    branch: Branch
    step: str
    carry_out: Callable[[NeonClient, datetime], object] | None


@dataclass(frozen=True)
class _Seen:
    """A branch, its compute, and where it stands."""

    branch: Branch
    compute: Endpoint | None
    parent: Branch | None
    children: Sequence[str]
    rule: BranchRule
    names: frozenset[str]
    """Names and ids of all branches."""
    now: datetime

    def change(
        self,
        setting: str,
        now: str,
        wanted: str,
        step: str,
        carry_out: Callable[[NeonClient, datetime], object] | None,
        note: str | None = None,
    ) -> Change:
        """Give one difference of this branch."""
        found = Difference(
            branch=self.branch.name,
            setting=setting,
            now=now,
            wanted=wanted,
            can_change=carry_out is not None,
            note=note,
        )
        return Change(found, self.branch, step, carry_out)


def changes(
    policy: Policy, there: Sequence[Branch], computes: Sequence[Endpoint], now: datetime
) -> list[Change]:
    """Give every difference, branch by branch, in the order in which they can be taken away."""
    from neondba.neon.throwaway import is_throwaway

    by_id = {each.id: each for each in there}
    names = frozenset(word for each in there for word in (each.name, each.id))
    own = {each.branch_id: each for each in computes if each.type == "read_write"}
    found = list(_lost_parents(policy, there)) if there else []
    for branch in sorted(there, key=lambda each: (each.created_at, each.name)):
        if is_throwaway(branch.name):
            continue
        seen = _Seen(
            branch,
            own.get(branch.id),
            by_id.get(branch.parent_id or ""),
            children_of(branch, list(there)),
            policy.for_branch(branch.name, default=branch.default),
            names,
            now,
        )
        for part in (_expiry, _protection, _compute, _parent):
            found += part(seen)
    return found


def _lost_parents(policy: Policy, there: Sequence[Branch]) -> Iterator[Change]:
    """Name parents in the policy that no branch is called, such as a misspelt one."""
    import difflib

    names = {each.name for each in there}
    for table in policy.tables:
        wanted = table.rule.parent
        if wanted is None or wanted in names or any(each.id == wanted for each in there):
            continue
        near = difflib.get_close_matches(wanted, names, n=1)
        found = Difference(
            branch=table.pattern,
            setting="parent",
            now="no branch",
            wanted=wanted,
            can_change=False,
            note=f"There is no branch {wanted}." + (f" Did you mean {near[0]}?" if near else ""),
        )
        yield Change(found, there[0], "", None)


def _expiry(seen: _Seen) -> Iterator[Change]:
    branch, wanted = seen.branch, seen.rule.expires
    stays = branch.default or (branch.protected if seen.rule.protected is None else seen.rule.protected)
    at = f"{branch.expires_at:%Y-%m-%d %H:%M} UTC" if branch.expires_at else "never"
    if stays:
        if branch.expires_at is not None:

            def keep(client: NeonClient, _now: datetime) -> None:
                client.update_branch(branch.project_id, branch.id, expires_at=None)

            yield seen.change("expires", at, "never", f"Let {branch.name} stay: it no longer expires.", keep)
        return
    if wanted is None or (branch.expires_at and branch.expires_at <= seen.now + wanted + TOLERANCE):
        return
    said = f"within {spell(wanted)}"
    if seen.children:
        why = f"It has branches of its own: {', '.join(seen.children[:5])}. Neon lets no such branch expire."
        yield seen.change("expires", at, said, "", None, why)
        return

    def expire(client: NeonClient, now: datetime) -> None:
        client.update_branch(branch.project_id, branch.id, expires_at=now + wanted)

    step = f"Let Neon delete {branch.name} and its data {spell(wanted)} from now."
    yield seen.change("expires", at, said, step, expire, "Neon then deletes it with its data.")


def _protection(seen: _Seen) -> Iterator[Change]:
    branch, wanted = seen.branch, seen.rule.protected
    if wanted is None or wanted == branch.protected:
        return

    def protect(client: NeonClient, _now: datetime) -> None:
        client.update_branch(branch.project_id, branch.id, protected=wanted)

    step = f"Protect {branch.name}." if wanted else f"Take the protection off {branch.name}."
    yield seen.change("protected", _yes(branch.protected), _yes(wanted), step, protect)


def _compute(seen: _Seen) -> Iterator[Change]:
    compute, rule, name = seen.compute, seen.rule, seen.branch.name
    if compute is None:
        return
    low, high = compute.autoscaling_limit_min_cu, compute.autoscaling_limit_max_cu
    new_low, new_high = rule.min_cu or low, rule.max_cu or high
    # A bound that is set moves the other along where that says nothing.
    new_low = min(new_low, new_high) if rule.min_cu is None else new_low
    new_high = max(new_low, new_high) if rule.max_cu is None else new_high
    if (new_low, new_high) != (low, high):
        step = f"Set the compute of {name} to {_size(new_low, new_high)}; it restarts if it runs."
        yield seen.change(
            "compute",
            _size(low, high),
            _size(new_low, new_high),
            step,
            _resize(compute, min_cu=new_low, max_cu=new_high),
        )
    seconds = rule.suspend_seconds
    if seconds is not None and seconds != compute.suspend_timeout_seconds:
        wanted = _sleep(seconds)
        step = f"Let the compute of {name} sleep {wanted}."
        now = _sleep(compute.suspend_timeout_seconds)
        yield seen.change("suspend", now, wanted, step, _resize(compute, suspend_seconds=seconds))


def _resize(compute: Endpoint, **wanted: Any) -> Callable[[NeonClient, datetime], object]:
    return lambda client, _now: client.update_endpoint(compute.project_id, compute.id, **wanted)


def _parent(seen: _Seen) -> Iterator[Change]:
    wanted, parent = seen.rule.parent, seen.parent
    if wanted is None or seen.branch.default or wanted in (seen.branch.name, seen.branch.id):
        return
    if seen.names.isdisjoint({wanted}):
        return
    if parent is None or wanted not in (parent.name, parent.id):
        why = "A branch keeps its parent: delete it and make it anew."
        yield seen.change("parent", parent.name if parent else "none", wanted, "", None, why)


def _size(low: float, high: float) -> str:
    return f"{low:g} CU" if low == high else f"{low:g} to {high:g} CU"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _sleep(seconds: int) -> str:
    if seconds < 0:
        return "never"
    return f"after {spell(timedelta(seconds=seconds))}" if seconds else "after Neon's usual time"
