"""Operations that look at who may do what, and at what was done."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from neondba.access.audit_log_results import AuditLog
from neondba.access.audit_results import Danger, RoleAudit
from neondba.access.audit_tls_results import TlsCheck
from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.core.problem import NotFoundProblem

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

    project = ctx.settings.project if ctx.settings.origin("project") == "--project" else None
    asked = Asked(moment(since, ctx), moment(until, ctx), operation, project, branch, role, effect, failed)
    return read(ctx, asked, head=head, limit=limit)


@operation(
    "role.audit",
    effect=Effect.READ,
    findings=lambda audit: sum(each.danger is not Danger.LOW for each in audit.findings),
    examples=(
        Example(),
        Example({"role": "no_such_role"}, problem="role-not-found"),
        Example({"branch": "no-such-branch"}, problem="branch-not-found"),
    ),
)
def role_audit(
    ctx: Context,
    *,
    role: Annotated[str | None, Field(description="Only what concerns this role, table by table.")] = None,
    branch: Annotated[
        str | None, Field(description="Branch, by name or id; the one in .neon if absent, else the default.")
    ] = None,
    database: Annotated[
        str | None, Field(description="Database on the branch; the usual one if absent.")
    ] = None,
    prove: Annotated[
        bool, Field(description="Log in as the roles on a throw-away copy of the branch, to show findings.")
    ] = False,
) -> RoleAudit:
    """Show who may do what in a database, worst first, and the SQL that mends it.

    Effective rights: through membership, PUBLIC, ownership and Neon's own groups, as the server itself
    checks them; where this session may act as a role, that is shown in a transaction that only reads, and
    with --prove by logging in as the roles on a copy of the branch. Looks at .env files for logins that
    environments share, and compares branches' passwords without showing any. Changes nothing: --format sql
    prints the proposal. What is only low is no exit status 1. What you accept, with its reason, stands in
    the project file under [tool.neondba.access.accepted] as "CODE:ROLE" or "CODE", and is no finding then.

    Raises:
        NotFoundProblem: there is no such role, branch or database.
    """
    from neondba.access.audit import audit
    from neondba.access.role_place import opened

    with opened(ctx, branch, database) as place:
        return audit(ctx, place, role, prove=prove)


@operation(
    "tls.check",
    effect=Effect.READ,
    findings=lambda check: check.faults,
    examples=(
        Example({"path": "examples/taskboard"}),
        Example({"path": "no/such"}, problem="path-not-found"),
    ),
)
def tls_check(
    ctx: Context, path: Annotated[Path, Field(description="Folder of the project.")] = Path()
) -> TlsCheck:
    """Say what the TLS mode of each connection string in .env files protects from.

    Looks at the certificate of each server too: who issued it, when it ends, whether chain and host name
    hold; it hangs up before any name or password is sent. neondba connection check looks closer at one
    string.

    Raises:
        NotFoundProblem: there is no such folder.
    """
    from neondba.access.audit_tls import tls_check as checked

    folder = (ctx.folder / path).resolve()
    if not folder.is_dir():
        raise NotFoundProblem("path-not-found", f"{folder} is no folder.", hint="Give the project's folder.")
    return checked(ctx, folder)
