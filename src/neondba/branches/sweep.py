"""Which branches are left over, by what reason, and which of those must stay all the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Final

from neondba.branches.git_branches import GitBranches
from neondba.branches.open_pulls import OpenPulls
from neondba.branches.policy import PREVIEWS, Policy
from neondba.branches.preview_name import preview_name, pull_request_of
from neondba.core.duration import spell

if TYPE_CHECKING:
    from neondba.neon.models import Branch, Endpoint

IDLE: Final = timedelta(days=14)
RECENT: Final = timedelta(hours=24)


@dataclass(frozen=True)
class World:
    """Everything a judgement rests on."""

    branches: Sequence[Branch]
    computes: Sequence[Endpoint]
    policy: Policy
    git: GitBranches
    pulls: OpenPulls
    now: datetime
    named: frozenset[str] = frozenset()
    """Names and ids that the user has given."""
    checked_out: str | None = None
    """Branch that `.neon` names."""
    idle: timedelta | None = None
    """What the user has said; else the policy's, or 14 days."""
    recent: timedelta = RECENT

    @cached_property
    def previews(self) -> frozenset[str]:
        """Give the names of the previews of all git branches, cut ones too."""
        there = self.git.names | self.pulls.heads
        return frozenset(preview_name(each) for each in there if each.isprintable() and each.strip())

    def last_used(self, branch: Branch) -> datetime:
        """Say when a branch was made, reset, or its compute last at work."""
        seen = [branch.created_at, branch.last_reset_at]
        for compute in self._own.get(branch.id, ()):
            seen += [compute.last_active, compute.started_at]
        return max(moment for moment in seen if moment is not None)

    def is_at_work(self, branch: Branch) -> bool:
        """Tell whether a compute of the branch runs now."""
        return any(each.current_state == "active" for each in self._own.get(branch.id, ()))

    @cached_property
    def _own(self) -> dict[str, list[Endpoint]]:
        found: dict[str, list[Endpoint]] = {}
        for compute in self.computes:
            found.setdefault(compute.branch_id, []).append(compute)
        return found


@dataclass(frozen=True)
class Judgement:
    """What was found about one branch."""

    branch: Branch
    reasons: tuple[str, ...] = ()
    """Why it looks left over."""
    guard: str | None = None
    """Why it stays all the same."""
    unknown: tuple[str, ...] = ()
    """What could not be told."""

    @property
    def goes(self) -> bool:
        """True when it is to be deleted."""
        return bool(self.reasons) and self.guard is None


def judged(world: World) -> list[Judgement]:
    """Judge every branch; those to delete come children first."""
    found = {branch.id: _judge(world, branch) for branch in world.branches}
    children: dict[str, list[str]] = {}
    for branch in sorted(world.branches, key=lambda each: each.name):
        children.setdefault(branch.parent_id or "", []).append(branch.id)
    order: list[Judgement] = []

    def visit(branch_id: str) -> None:
        for child in children.get(branch_id, []):
            visit(child)
        own = found[branch_id]
        stay = [found[child].branch.name for child in children.get(branch_id, []) if not found[child].goes]
        if own.goes and stay:
            own = found[branch_id] = _guarded(own, f"branches of it stay: {', '.join(sorted(stay)[:5])}")
        order.append(own)

    for branch in sorted(world.branches, key=lambda each: each.name):
        if branch.parent_id not in found:
            visit(branch.id)
    return order


def _guarded(judgement: Judgement, why: str) -> Judgement:
    return replace(judgement, guard=why)


def _judge(world: World, branch: Branch) -> Judgement:
    reasons: list[str] = []
    unknown: list[str] = []
    expired = branch.expires_at is not None and branch.expires_at <= world.now
    if {branch.name, branch.id} & world.named:
        reasons.append("you have named it")
    if expired and branch.expires_at:
        reasons.append(f"it expired at {branch.expires_at:%Y-%m-%d %H:%M} UTC")
    if _is_managed(world, branch):
        git = _git_reason(world, branch)
        (unknown if git.startswith("?") else reasons).extend([git.lstrip("?")] if git else [])
        reasons += [*_idle(world, branch), *_drifted(world, branch)]
    guard = _guard(world, branch, expired=expired) if reasons else None
    return Judgement(branch, tuple(reasons), guard, tuple(unknown))


def _is_managed(world: World, branch: Branch) -> bool:
    """Tell whether a pattern speaks of it; what a person made by hand under another name never goes."""
    from neondba.neon.throwaway import is_throwaway

    written = any(
        "*" in table.pattern for table in world.policy.matching(branch.name) if table.pattern != "*"
    )
    return written or is_throwaway(branch.name) or _stem(world, branch.name) is not None


def _stem(world: World, name: str) -> str | None:
    """Give the git branch that a name speaks of, where its pattern follows git."""
    patterns = [t.pattern for t in world.policy.matching(name) if t.rule.follows_git]
    said = world.policy.for_branch(name).follows_git
    if said is None and name.startswith(PREVIEWS[:-1]):
        patterns = [PREVIEWS]
    elif not said:
        return None
    for pattern in patterns:
        before, star, after = pattern.partition("*")
        if star and "*" not in after and name.startswith(before) and name.endswith(after):
            return name[len(before) : len(name) - len(after)]
    return None


def _git_reason(world: World, branch: Branch) -> str:
    """Say why its git branch or pull request is no more; with a `?` in front why that is not known."""
    stem = _stem(world, branch.name)
    if stem is None or _lives(world, branch.name, stem):
        return ""
    number = pull_request_of(stem)
    if number is not None:
        if world.pulls.numbers is None:
            return f"?whether pull request {number} is open: give the open ones with --open-pr"
        return "" if number in world.pulls.numbers else f"pull request {number} is closed"
    if world.git.unknown:
        return f"?whether git branch {stem} is there: {world.git.unknown}"
    if world.git.as_of is not None and branch.created_at > world.git.as_of:
        return f"?whether git branch {stem} is there: the last git fetch is older than {branch.name}"
    return f"git branch {stem} is gone"


def _lives(world: World, name: str, stem: str) -> bool:
    return stem in world.git.names or stem in world.pulls.heads or name in world.previews


def _idle(world: World, branch: Branch) -> Iterator[str]:
    limit = world.idle or world.policy.for_branch(branch.name).idle or IDLE
    used = world.last_used(branch)
    if world.now - used >= limit:
        yield f"it was last used on {used:%Y-%m-%d}, more than {spell(limit)} ago"


def _drifted(world: World, branch: Branch) -> Iterator[str]:
    limit = world.policy.for_branch(branch.name).expires
    if limit and branch.expires_at is None and world.now - branch.created_at > limit:
        yield f"the policy lets it live {spell(limit)}; it is older and does not expire"


def _guard(world: World, branch: Branch, *, expired: bool) -> str | None:
    if branch.default:
        return "it is the default branch"
    if branch.protected:
        return "it is protected"
    if world.checked_out in (branch.name, branch.id):
        return "it is checked out here (.neon)"
    stem = _stem(world, branch.name)
    number = pull_request_of(stem) if stem else None
    if number is not None and number in (world.pulls.numbers or ()):
        return f"pull request {number} is open"
    if stem is not None and stem in world.pulls.heads:
        return f"a pull request of {stem} is open"
    if expired:
        return None
    if world.is_at_work(branch):
        return "its compute is running"
    if world.now - world.last_used(branch) < world.recent:
        return f"it was used less than {spell(world.recent)} ago"
    return None
