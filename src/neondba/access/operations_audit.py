"""Operations that look at who may do what, and at what was done."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from neondba.access.audit_log_results import AuditLog
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect

Moment = Annotated[
    str | None, Field(description="A day, a time in UTC, or how long ago: 2026-11-22, 2026-11-22T10:00Z, 3d.")
]


@operation(
    "audit.log",
    effect=Effect.READ,
    findings=lambda log: 0 if log.chain.whole else 1,
    examples=(
        Example({"operation": "project.create", "limit": 0}),
        Example({"since": "the day before"}, problem="moment-invalid"),
    ),
)
def audit_log(
    ctx: Context,
    *,
    since: Moment = None,
    until: Moment = None,
    operation: Annotated[
        str | None, Field(description="Operation, or the first word of several: branch.delete, branch.")
    ] = None,
    branch: Annotated[str | None, Field(description="Branch that was touched.")] = None,
    role: Annotated[str | None, Field(description="Role that was touched.")] = None,
    effect: Annotated[Effect | None, Field(description="How far it reached.")] = None,
    failed: Annotated[bool, Field(description="Only what did not end well.")] = False,
    limit: Annotated[int, Field(description="Show so many, the newest; 0 shows all.", ge=0)] = 50,
    head: Annotated[
        str | None,
        Field(description="A hash noted earlier: it must still be there.", pattern=r"^[0-9A-Fa-f]{8,64}$"),
    ] = None,
) -> AuditLog:
    """Show what was done with this program, and whether the record is whole.

    Every write is an entry: operation, project, branch, role, steps, outcome. Each entry holds the hash of
    the one before, so that one that was changed, exchanged or removed shows; the check is part of every
    call, and a broken chain is exit status 1. Whoever may write the file could compute the whole chain
    anew: a hash noted elsewhere and given as --head shows that too. --project shows what touched that
    project, by the name that it had. Print with --format json or csv.

    Raises:
        ArgumentProblem: a moment cannot be read, or the journal cannot.
    """
    from neondba.access.audit_log import Asked
    from neondba.access.audit_log import audit_log as read
    from neondba.access.audit_since import moment

    asked = Asked(
        since=moment(since, ctx),
        until=moment(until, ctx),
        operation=operation,
        project=ctx.settings.project if ctx.settings.origin("project") == "--project" else None,
        branch=branch,
        role=role,
        effect=effect,
        failed=failed,
    )
    return read(ctx, asked, head=head, limit=limit)
