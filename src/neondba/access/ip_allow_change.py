"""Change a project's list of allowed addresses, without shutting out whoever asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Final

from neondba.access.ip_allow import allowed_of, given_addresses, known_entries, meaning, shown
from neondba.access.ip_allow_results import IpAllowList
from neondba.access.ip_allow_trial import Trial, trial, tried_branch
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ArgumentProblem, ConflictProblem
from neondba.neon.allow_list import Address, Entry, address_of, entry_of, let_in

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import AllowedIps, Branch, Project

LOOPBACK: Final = "127.0.0.1"
"""Where clients of the local Neon come from."""


@dataclass(frozen=True)
class Change:
    """What the user wants of the list."""

    operation: str
    put: tuple[str, ...] | None = None
    """The whole list, in place of what is there."""
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    protected_only: bool | None = None
    origins: tuple[str, ...] = ()
    """Addresses that must stay let in."""
    lock_out: bool = False
    open_to_all: bool = False


def change_list(ctx: Context, client: NeonClient, project: Project, change: Change) -> IpAllowList:
    """Make a change, with consent; put the old list back if it shuts this machine out after all.

    Raises:
        ArgumentProblem: an entry is none, or nothing would be left.
        ConflictProblem: it would shut out the caller, or has done so.
    """
    there = client.branches(project.id)
    before = allowed_of(project)
    after = _after(before, change, project)
    if after == before:
        same = shown(client, project)
        return same.model_copy(update={"changed": ("Nothing is to be changed: the list is so already.",)})
    origins = given_addresses(change.origins)
    if client.is_local:
        origins = (*origins, address_of(LOOPBACK))
    _refuse_lock_out(after, there, origins, change)
    steps = _steps(before, after, there)
    held = tried_branch(there, protected_only=after.protected_branches_only and bool(after.ips))
    branch = None if change.lock_out else held
    with ctx.carry_out(_plan(project, change, steps)):
        seen = _carry_out(client, project, before, after, branch)
    now = shown(client, client.project(project.id))
    return now.model_copy(update={"changed": steps[:-1], "shown": _said(seen)})


def _said(seen: Trial | None) -> str:
    if seen is None:
        return "Not checked: whether a connection from here is let in."
    return f"Not checked: {seen.said}" if seen.let_in is None else f"Shown: {seen.said}"


def _after(before: AllowedIps, change: Change, project: Project) -> AllowedIps:
    from neondba.neon.models import AllowedIps

    wanted = before.ips if change.put is None else tuple(entry_of(text).text for text in change.put)
    known = {_plain(text): text for text in wanted}
    for entry in map(entry_of, change.add):
        known.setdefault(entry.text, entry.text)
    for text in change.remove:
        if known.pop(_plain(text), None) is None:
            raise _not_listed(text, before, project)
    if change.remove and not known and not change.open_to_all:
        raise ConflictProblem(
            "list-would-be-empty",
            "Without this entry the list is empty, and an empty list lets every address in the world in.",
            hint="Add another entry first; or, if everybody may come, repeat it with --open-to-all.",
        )
    only = before.protected_branches_only if change.protected_only is None else change.protected_only
    return AllowedIps(ips=tuple(known.values()), protected_branches_only=only)


def _plain(text: str) -> str:
    try:
        return entry_of(text).text
    except ArgumentProblem:
        return text


def _not_listed(text: str, before: AllowedIps, project: Project) -> ArgumentProblem:
    holder = None
    try:
        wanted = entry_of(text)
        holder = let_in(known_entries(before)[0], wanted.first)
    except ArgumentProblem:
        pass
    return ArgumentProblem(
        "entry-not-listed",
        f"The list of project {project.name} has no entry {text}.",
        hint=f"{holder.text} holds it: remove that, and add what is to stay."
        if holder
        else f"It has: {', '.join(before.ips) or 'none'}.",
    )


def _refuse_lock_out(
    after: AllowedIps, there: list[Branch], origins: tuple[Address, ...], change: Change
) -> None:
    held = [each for each in there if each.protected or not after.protected_branches_only]
    if not after.ips or not held or change.lock_out:
        return
    if not origins:
        raise ArgumentProblem(
            "caller-unknown",
            "It is not known from which address you and the application connect, so this list might shut "
            "you out.",
            hint="Give each with --origin ADDRESS, or --lock-out if nobody needs to be let in.",
        )
    entries = known_entries(after)[0]
    out = [str(each) for each in origins if let_in(entries, each) is None]
    if out:
        raise ConflictProblem(
            "would-lock-out",
            f"No entry of this list holds {', '.join(out)}, from where you connect: you would be shut out of "
            f"{'every branch' if len(held) == len(there) else ', '.join(sorted(b.name for b in held))}.",
            hint=f"List it too: neondba ip-allow add {out[0]}; or say --lock-out if that is meant.",
            addresses=out,
        )


def _steps(before: AllowedIps, after: AllowedIps, there: list[Branch]) -> tuple[str, ...]:
    steps = [f"Let {each} in{_about(each)}." for each in after.ips if each not in before.ips]
    steps += [f"Take {each} off the list." for each in before.ips if each not in after.ips]
    if after.protected_branches_only != before.protected_branches_only:
        only = "protected branches only" if after.protected_branches_only else "every branch"
        steps.append(f"Have the list count for {only}.")
    return (*steps, f"From then on: {meaning(after, there)}")


def _about(text: str) -> str:
    entry: Entry = entry_of(text)
    size = f" ({entry.size:,} addresses)" if 1 < entry.size < 1 << 33 else ""
    return size + (f". Mind: {entry.note.rstrip('.')}" if entry.note else "")


def _plan(project: Project, change: Change, steps: tuple[str, ...]) -> Plan:
    unchecked = ("It is not checked whether you can still connect: --lock-out was given.",)
    return Plan(
        operation=change.operation,
        effect=Effect.WRITE,
        # Everybody who connects is concerned, production too.
        target=Target(project=project.name, protected=True),
        steps=steps + (unchecked if change.lock_out else ()),
    )


def _carry_out(
    client: NeonClient, project: Project, before: AllowedIps, after: AllowedIps, branch: Branch | None
) -> Trial | None:
    """Put the list in place; take it back where it shuts out this machine, which was let in before."""
    if allowed_of(client.project(project.id)) != before:
        raise ConflictProblem(
            "list-changed-meanwhile",
            f"Somebody else has changed the list of project {project.name} just now; nothing was done.",
            hint="Look at it, and repeat the call: neondba ip-allow show",
        )
    was = trial(client, project, branch) if branch else None
    client.allow(project.id, after)
    seen = trial(client, project, branch) if branch else None
    if was and seen and was.let_in and seen.let_in is False:
        client.allow(project.id, before)
        raise ConflictProblem(
            "locked-out",
            f"{seen.said} It was let in before, so the list that was there is back.",
            hint=f"Add this address as well: neondba ip-allow add {quote(seen.seen_as or 'ADDRESS')}; "
            "or say --lock-out if this machine need not come in.",
        )
    return seen
