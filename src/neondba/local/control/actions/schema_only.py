"""Make a root branch that has another branch's schema, roles and settings, and none of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from neondba.local.computes.manager import programs_of
from neondba.local.computes.process import ADMIN, Compute
from neondba.local.control import dumps, rebuilding, timelines
from neondba.local.control.actions import branch_of, performs, undoes
from neondba.local.control.actions.branches import forget_branch
from neondba.local.control.worker import stamp
from neondba.local.state.store import Rows
from neondba.local.state.tables import BranchRow, OperationRow
from neondba.local.storage import backup, template
from neondba.postgres.admin import SQL, Identifier

if TYPE_CHECKING:
    from neondba.local.control.plane import Plane

ROLES: Final = ("--globals-only", "--no-tablespaces")


@performs("apply_schema_from_branch")
def apply(plane: Plane, operation: OperationRow, arguments: dict[str, Any]) -> None:
    """Make a directory from the template and put the source's roles and schemas into it."""
    branch = branch_of(plane, operation)
    if not plane.branches.exists(branch.timeline_id):
        _make(plane, branch.timeline_id, arguments)
    now = stamp(plane.clock.now())
    with plane.state.change() as rows:
        made = rows.get(BranchRow, branch.id)
        if made is not None:
            made.state, made.state_changed_at, made.updated_at = "ready", now, now
            made.cloned_by = plane.history.cloner.name


@undoes("apply_schema_from_branch")
def forget(_plane: Plane, rows: Rows, operation: OperationRow, _arguments: dict[str, Any]) -> None:
    """Forget a branch that never came to be."""
    forget_branch(rows, operation.branch_id)


def _make(plane: Plane, name: str, arguments: dict[str, Any]) -> None:
    """Fill the directory beside its place: what is there under its name is whole."""
    source = arguments["source"]
    programs = programs_of(plane.branches.major(source))
    origin = template.ensure(programs, plane.templates)
    with dumps.at(plane, source, timelines.point(arguments)) as compute:
        script = dumps.run("pg_dumpall", compute, *ROLES, database="postgres")
        archives = rebuilding.archives(compute)
    with plane.branches.making(name) as data:
        backup.clone_stopped(plane.history.cloner, origin, data, plane.branches.owner)
        with dumps.serving(plane, data, haste=True) as compute:
            _empty(compute)
            quiet = ("--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null")
            dumps.run("psql", compute, *quiet, database="postgres", given=_without_known_roles(script))
            rebuilding.rebuild(compute, archives)


def _empty(compute: Compute) -> None:
    """Drop the template's own database and role: the source may have neither."""
    with compute.admin() as session:
        # neondba: ignore[NDB616] in a directory that is nobody's yet
        session.execute(SQL("drop database {}").format(Identifier(template.DATABASE)))
        session.execute(SQL("drop role {}").format(Identifier(template.ROLE)))


def _without_known_roles(script: bytes) -> bytes:
    """Leave out the creation of the two roles that every directory has."""
    for role in (ADMIN, "neon_superuser"):
        script = script.replace(f"\nCREATE ROLE {role};\n".encode(), b"\n", 1)
    return script
