"""The reference tables of the local Neon, from the routes and the behaviours that each part declares.

A part declares its behaviours in a `requirements.py` of its folder; routes carry their own rows.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Final

import neondba.local
from neondba.local.api.routes import routes
from neondba.local.requirement import SPEC, Requirement


@dataclass(frozen=True)
class Area:
    """A chapter of the reference."""

    title: str
    modules: tuple[str, ...]
    """Of the folder `api`: their routes belong here."""
    behaviours: tuple[str, ...]
    """The first words of the behaviours that belong here."""


AREAS: Final = (
    Area("The API", ("regions",), ("api",)),
    Area("Projects", ("projects",), ()),
    Area("Branches and storage", ("branches",), ("branch", "storage")),
    Area(
        "Restore, snapshots and what was deleted",
        ("restore", "recover", "snapshots", "schedules"),
        ("restore", "snapshot"),
    ),
    Area("Computes", ("endpoints", "libraries"), ("compute",)),
    Area("Roles and databases", ("roles",), ("roles",)),
    Area("Schemas and masking", ("schema", "anonymized"), ("schema", "masking")),
    Area("Connections", (), ("proxy", "pooler", "ip-allow")),
    Area("Connections to the past", (), ("past",)),
    Area("The serverless driver", (), ("serverless",)),
    Area("Metering and quotas", ("consumption",), ("metering",)),
    Area(
        "Account, organization and sharing",
        ("account", "keys", "organization", "sharing", "jwks", "vpc"),
        (),
    ),
    Area("On this machine", (), ("machine",)),
)


def behaviours() -> list[Requirement]:
    """Give the behaviours of all parts."""
    found: list[Requirement] = []
    for part in sorted(
        pkgutil.walk_packages(neondba.local.__path__, "neondba.local."), key=lambda at: at.name
    ):
        if part.name.endswith(".requirements") and part.name != __name__:
            found += import_module(part.name).BEHAVIOURS
    return found


def rows() -> list[Requirement]:
    """Give every row: operations, then behaviours."""
    return [*(route.requirement for route in routes()), *behaviours()]


def homes(row: Requirement) -> list[Area]:
    """Give the areas that a row belongs to: one, or the tables are wrong."""
    module = {route.operation_id: route.handler.__module__.rpartition(".")[2] for route in routes()}
    if row.id in module:
        return [area for area in AREAS if module[row.id] in area.modules]
    return [area for area in AREAS if row.id.partition(".")[0] in area.behaviours]


def document(shown: Mapping[str, Sequence[str]]) -> str:
    """Write all tables in Markdown, with the test files that show each behaviour."""
    lines: list[str] = []
    for area in AREAS:
        lines += [f"### {area.title}", "", *_operations(area), *_behaviours(area, shown)]
    missing = [row for row in behaviours() if row.deferred]
    lines += ["### Not built", "", "| what Neon does | what happens here |", "|---|---|"]
    lines += [f"| {row.sentence} | {row.divergence} |" for row in missing]
    return "\n".join(lines)


def _operations(area: Area) -> Iterator[str]:
    found = [route for route in routes() if area in homes(route.requirement)]
    if found:
        yield "| operation | does | differs from Neon |"
        yield "|---|---|---|"
        for route in found:
            row = route.requirement
            source = "" if row.source == SPEC else f" (Source: {row.source}.)"
            call = f"`{row.id}`<br>`{route.method} {route.path}`"
            yield f"| {call} | {row.sentence}{source} | {row.divergence or ''} |"
        yield ""


def _behaviours(area: Area, shown: Mapping[str, Sequence[str]]) -> Iterator[str]:
    found = [row for row in behaviours() if area in homes(row) and not row.deferred]
    if found:
        yield "| behaviour | does | differs from Neon | source | shown by |"
        yield "|---|---|---|---|---|"
        for row in found:
            files = ", ".join(f"`{name}`" for name in shown.get(row.id, ()))
            source = row.source.partition(",")[0]
            yield f"| `{row.id}` | {row.sentence} | {row.divergence or ''} | {source} | {files} |"
        yield ""


def sizes() -> str:
    """Write what some sizes of computes are given, in Markdown."""
    from neondba.local.computes.sizes import settings_of
    from neondba.neon.limits import SIZES, Size

    lines = ["| size | `max_connections` | `shared_buffers` | `maintenance_work_mem` |", "|---|---|---|---|"]
    for cu in (cu for cu in SIZES if cu in (0.25, 0.5, 1, 2, 4, 8, 16, 56)):
        given = settings_of(Size(cu, cu))
        memory = [f"{int(given[name][:-2]) >> 10} MB" for name in ("shared_buffers", "maintenance_work_mem")]
        lines.append(f"| {cu:g} CU | {given['max_connections']} | {memory[0]} | {memory[1]} |")
    return "\n".join(lines)


def limits() -> str:
    """Write the limits in Markdown, from the code that holds them."""
    from neondba.local.api import names, projects, request, roles, schema_only, snapshots
    from neondba.local.control import naps, upkeep
    from neondba.local.proxy.pooling.settings import Limits
    from neondba.local.serverless import queries

    pool = Limits()
    told = (
        ("computes awake, besides the default branch's", f"{naps.MOST_ACTIVE} in a project"),
        ("root branches", f"{schema_only.MOST_ROOTS} in a project"),
        ("snapshots by hand", f"{snapshots.MANUAL} in a project"),
        ("roles, databases", f"{roles.MOST} each on a branch"),
        ("history", f"`history_retention_seconds`; {projects.DAY} if nothing is said"),
        ("recovery of deleted branches and projects", f"{upkeep.RECOVERABLE.days} days"),
        ("life of an expiring branch", f"{names.LONGEST_LIFE.days} days"),
        ("pooled clients", f"{pool.max_client_conn} at an endpoint"),
        ("their wait for a server connection", f"{pool.query_wait_timeout:g} s"),
        ("pooled server connections", f"{pool.share:g} of `max_connections`, for each role and database"),
        ("body of an API request", f"{request.LARGEST_BODY >> 20} MB, within {request.SLOWEST_BODY:g} s"),
        ("`/sql`", f"{queries.LARGEST >> 20} MB in a request, and in the values of a response"),
    )
    return "\n".join(["| what | most |", "|---|---|", *(f"| {what} | {most} |" for what, most in told)])
