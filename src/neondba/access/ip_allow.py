"""A project's list of allowed addresses: what it is, and whether it lets in who must come in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neondba.access.ip_allow_places import Place, places
from neondba.access.ip_allow_results import AllowedEntry, IpAllowCheck, IpAllowLine, IpAllowList, Verdict
from neondba.access.ip_allow_trial import trial, tried_branch
from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem
from neondba.neon.allow_list import Address, Entry, address_of, entry_of, let_in

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient
    from neondba.neon.models import AllowedIps, Branch, Project


def allowed_of(project: Project) -> AllowedIps:
    """Give the list of a project; none lets everybody in."""
    from neondba.neon.models import AllowedIps

    return (project.settings.allowed_ips if project.settings else None) or AllowedIps()


def given_addresses(given: tuple[str, ...]) -> tuple[Address, ...]:
    """Read addresses that were named as places to connect from.

    Raises:
        ArgumentProblem: one is none.
    """
    found = []
    for text in given:
        try:
            found.append(address_of(text))
        except ValueError as error:
            raise ArgumentProblem(
                "address-invalid",
                f"{text!r} is no address to connect from: {str(error).rstrip('.')}.",
                hint="Give one IPv4 or IPv6 address, as the outside sees it.",
            ) from None
    return tuple(found)


def known_entries(allowed: AllowedIps) -> tuple[list[Entry], list[str]]:
    """Read the entries; give those that cannot be read apart."""
    read, unread = [], []
    for text in allowed.ips:
        try:
            read.append(entry_of(text))
        except ArgumentProblem:
            unread.append(text)
    return read, unread


def meaning(allowed: AllowedIps, there: list[Branch], *, blocked: bool = False) -> str:
    """Say in one sentence who may connect to what."""
    if blocked:
        return "public connections are blocked: the list counts for nothing, only private networks connect."
    if not allowed.ips:
        return "no allow list: every address in the world may connect, to every branch."
    count = len(allowed.ips)
    only = f"only what {count} {'entry holds' if count == 1 else 'entries hold'} may connect"
    if not allowed.protected_branches_only:
        return f"{only}, to any branch."
    names = [each.name for each in there if each.protected]
    if not names:
        return "the list counts for protected branches only, and none is protected: everybody may connect."
    return f"{only} to protected branches ({', '.join(sorted(names))}); to all others everybody may."


def shown(client: NeonClient, project: Project) -> IpAllowList:
    """Give the list as it is."""
    there = client.branches(project.id)
    allowed = allowed_of(project)
    blocked = bool(project.settings and project.settings.block_public_connections)
    return IpAllowList(
        project=project.name,
        entries=tuple(_line(text) for text in allowed.ips),
        protected_branches_only=allowed.protected_branches_only,
        blocks_public=blocked,
        protected_branches=tuple(sorted(each.name for each in there if each.protected)),
        means=meaning(allowed, there, blocked=blocked),
        next=() if allowed.ips else ("neondba ip-allow add ADDRESS --origin YOUR-ADDRESS",),
    )


def checked(ctx: Context, client: NeonClient, project: Project, origins: tuple[Address, ...]) -> IpAllowCheck:
    """Hold the list against every place that is known to connect."""
    there = client.branches(project.id)
    allowed = allowed_of(project)
    blocked = bool(project.settings and project.settings.block_public_connections)
    entries, unread = known_entries(allowed)
    limited = bool(allowed.ips) and not allowed.protected_branches_only
    lines = [_here(client, project, there, protected_only=allowed.protected_branches_only)]
    lines += [_origin(address, entries, blocked=blocked) for address in origins]
    lines += [_place(place, limited=limited) for place in places(ctx.folder)]
    lines += [_entry_fault(text) for text in unread]
    lines += [_note(entry) for entry in entries if entry.note and not client.is_local]
    if allowed.protected_branches_only and allowed.ips and not any(each.protected for each in there):
        said = "counts for protected branches only, and no branch is protected: it keeps nobody out."
        do = "Protect the branch with your users' data: neondba branch protect BRANCH"
        lines.append(IpAllowLine(place="list", verdict="fault", said=said, evidence="read: API", do=do))
    return IpAllowCheck(
        project=project.name, means=meaning(allowed, there, blocked=blocked), lines=tuple(lines)
    )


def _line(text: str) -> AllowedEntry:
    try:
        entry = entry_of(text)
    except ArgumentProblem as problem:
        return AllowedEntry(entry=text, kind="unreadable", addresses=0, note=problem.message)
    return AllowedEntry(entry=text, kind=entry.kind, addresses=entry.size, note=entry.note)


def _here(client: NeonClient, project: Project, there: list[Branch], *, protected_only: bool) -> IpAllowLine:
    branch = tried_branch(there, protected_only=protected_only) or tried_branch(there, protected_only=False)
    if branch is None:
        return IpAllowLine(place="here", verdict="not checked", said="no branch.", evidence="not checked")
    tried = trial(client, project, branch)
    if tried.let_in is None:
        return IpAllowLine(place="here", verdict="not checked", said=tried.said, evidence="not checked")
    do = f"neondba ip-allow add {tried.seen_as}" if tried.seen_as else ""
    verdict: Verdict = "ok" if tried.let_in else "fault"
    return IpAllowLine(place="here", verdict=verdict, said=tried.said, evidence="shown", do=do)


def _origin(address: Address, entries: list[Entry], *, blocked: bool) -> IpAllowLine:
    place = str(address)
    if blocked:
        said = "public connections are blocked."
        return IpAllowLine(place=place, verdict="fault", said=said, evidence="read: API")
    if not entries:
        return IpAllowLine(
            place=place, verdict="ok", said="let in, as is everybody.", evidence="computed from the list"
        )
    holder = let_in(entries, address)
    if holder:
        said = f"let in by {holder.text}."
        return IpAllowLine(place=place, verdict="ok", said=said, evidence="computed from the list")
    return IpAllowLine(
        place=place,
        verdict="fault",
        said=f"no entry holds it{_other_version(address, entries)}.",
        evidence="computed from the list",
        do=f"neondba ip-allow add {address}",
    )


def _other_version(address: Address, entries: list[Entry]) -> str:
    if any(each.first.version == address.version for each in entries):
        return ""
    return f"; the list has no IPv{address.version} entry at all"


def _place(place: Place, *, limited: bool) -> IpAllowLine:
    if not place.changes:
        verdict: Verdict = "not checked"
        do = "Find out its outgoing address, then: neondba ip-allow check --origin ADDRESS"
    else:
        verdict = "fault" if limited else "note"
        do = "Have it go out by a fixed address and list that; or let the list hold for --branches protected."
    evidence = f"read: {place.file}:{place.line}"
    return IpAllowLine(place=place.name, verdict=verdict, said=place.said, evidence=evidence, do=do)


def _entry_fault(text: str) -> IpAllowLine:
    said = "is no address, range or network: it lets nobody in."
    do = "Take it off the list."
    return IpAllowLine(place=text[:60], verdict="fault", said=said, evidence="read: API", do=do)


def _note(entry: Entry) -> IpAllowLine:
    verdict: Verdict = "fault" if entry.note.startswith("It lets half") else "note"
    return IpAllowLine(place=entry.text, verdict=verdict, said=entry.note, evidence="read: API")
