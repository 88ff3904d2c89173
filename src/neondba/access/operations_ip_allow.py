"""Operations on the addresses that may connect to a project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from neondba.access.ip_allow_results import IpAllowCheck, IpAllowList
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.local import platform

if TYPE_CHECKING:
    from neondba.access.ip_allow_change import Change

Entries = Annotated[
    tuple[str, ...],
    Field(
        description="Addresses, ranges (first-last) or networks (address/length); IPv4 or IPv6.", min_length=1
    ),
]
Origins = Annotated[
    tuple[str, ...],
    Field(description="Address from which you or the application connect, as the outside sees it."),
]
LockOut = Annotated[bool, Field(description="Do it even if nobody could connect any more, you included.")]


@operation("ip_allow.show", effect=Effect.READ, examples=(Example(),))
def ip_allow_show(ctx: Context) -> IpAllowList:
    """Show from which addresses a project may be reached.

    Says what the list comes to: it may count for protected branches only, and an empty one lets everybody in.
    """
    from neondba.access.ip_allow import shown
    from neondba.neon.choose import project_for

    with platform.client(ctx) as client:
        return shown(client, client.project(project_for(client, ctx).id))


@operation(
    "ip_allow.check",
    effect=Effect.READ,
    findings=lambda check: check.faults,
    examples=(
        Example({"origin": ["203.0.113.7"]}),
        Example({"origin": ["nowhere"]}, problem="address-invalid"),
    ),
)
def ip_allow_check(ctx: Context, *, origin: Origins = ()) -> IpAllowCheck:
    """Check that everybody who must connect is let in, and nobody else.

    Opens a connection from this machine, for which the compute wakes, and says what it met with; reckons for
    each --origin whether the list holds it; and reads from the project's files where else it runs: platforms
    and CI runners whose addresses change cannot be listed.

    Raises:
        ArgumentProblem: an origin is no address.
    """
    from neondba.access.ip_allow import checked, given_addresses
    from neondba.neon.choose import project_for

    origins = given_addresses(origin)
    with platform.client(ctx) as client:
        return checked(ctx, client, client.project(project_for(client, ctx).id), origins)


@operation(
    "ip_allow.set",
    effect=Effect.WRITE,
    examples=(
        Example({"entries": ["203.0.113.0/24", "127.0.0.0/8"]}, problem="confirmation-needed"),
        Example({"entries": ["203.0.113.0/24"]}, problem="would-lock-out"),
        Example({"entries": ["host.example"]}, problem="address-invalid"),
    ),
)
def ip_allow_set(
    ctx: Context,
    entries: Entries,
    *,
    origin: Origins = (),
    branches: Annotated[
        Literal["all", "protected"] | None,
        Field(description="Which branches the list counts for; as it is if absent."),
    ] = None,
    lock_out: LockOut = False,
) -> IpAllowList:
    """Let in these addresses and no others.

    Refuses a list that would shut out an --origin, or this machine. Afterwards a connection from here is
    tried: if it was let in before and is not now, the old list is put back.

    Raises:
        ArgumentProblem: an entry is none, or it is not known from where you connect.
        ConflictProblem: you would be shut out.
    """
    from neondba.access.ip_allow_change import Change

    return _changed(
        ctx,
        Change(
            operation="ip_allow.set",
            put=entries,
            protected_only=None if branches is None else branches == "protected",
            origins=origin,
            lock_out=lock_out,
        ),
    )


@operation(
    "ip_allow.add",
    effect=Effect.WRITE,
    examples=(
        Example({"entries": ["127.0.0.1"]}, problem="confirmation-needed"),
        Example({"entries": ["203.0.113.20-203.0.113.10"]}, problem="address-invalid"),
    ),
)
def ip_allow_add(
    ctx: Context, entries: Entries, *, origin: Origins = (), lock_out: LockOut = False
) -> IpAllowList:
    """Let in more addresses.

    The first entry of an empty list shuts everybody else out: the plan says so.

    Raises:
        ArgumentProblem: an entry is none, or it is not known from where you connect.
        ConflictProblem: you would be shut out.
    """
    from neondba.access.ip_allow_change import Change

    return _changed(ctx, Change(operation="ip_allow.add", add=entries, origins=origin, lock_out=lock_out))


@operation(
    "ip_allow.remove",
    effect=Effect.WRITE,
    examples=(Example({"entries": ["203.0.113.99"]}, problem="entry-not-listed"),),
)
def ip_allow_remove(
    ctx: Context,
    entries: Entries,
    *,
    origin: Origins = (),
    open_to_all: Annotated[
        bool, Field(description="Take the last entry off too: an empty list lets everybody in.")
    ] = False,
    lock_out: LockOut = False,
) -> IpAllowList:
    """Take addresses off the list.

    Raises:
        ArgumentProblem: the list has no such entry, or it is not known from where you connect.
        ConflictProblem: you would be shut out, or the list would be empty.
    """
    from neondba.access.ip_allow_change import Change

    change = Change(
        operation="ip_allow.remove",
        remove=entries,
        origins=origin,
        lock_out=lock_out,
        open_to_all=open_to_all,
    )
    return _changed(ctx, change)


def _changed(ctx: Context, change: Change) -> IpAllowList:
    from neondba.access.ip_allow_change import change_list
    from neondba.neon.choose import project_for

    with platform.client(ctx) as client:
        return change_list(ctx, client, client.project(project_for(client, ctx).id), change)
