"""What the local Neon answers, and where it differs from Neon.

The reference page is made from this; tests compare it with the routes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SPEC: Final = "OpenAPI v2, @neondatabase/api-client 2.7.3"
CLI: Final = "official command line 6.2.3"
PYTHON: Final = "neon-api 0.3.0 for Python"
DOCS: Final = "Neon's documentation"


@dataclass(frozen=True)
class Requirement:
    """A behaviour of Neon and what the local Neon makes of it."""

    id: str
    """An operation of the API, or `behaviour:name`."""
    source: str
    sentence: str
    divergence: str | None = None
    """How it differs here, and why."""
    deferred: str | None = None
    """Why it is not answered yet."""


def _done(id: str, sentence: str, divergence: str | None = None, source: str = SPEC) -> Requirement:  # noqa: A002
    return Requirement(id, source, sentence, divergence)


def _later(id: str, sentence: str, reason: str, source: str = SPEC) -> Requirement:  # noqa: A002
    return Requirement(id, source, sentence, deferred=reason)


ANSWERED: Final = (
    _done("listProjects", "Lists projects by pages, with search."),
    _done("listSharedProjects", "Lists projects others have shared.", "Always empty: there are no others."),
    _done(
        "createProject",
        "Creates a project with a branch, an endpoint, a role, a database and a connection string.",
        "PostgreSQL 18 only; another pg_version is refused with 400. Answers when the branch is made.",
    ),
    _done("getProject", "Shows a project.", "Usage figures are zero: metering is not built yet."),
    _done("updateProject", "Changes name and settings.", "Settings are kept and shown; none has an effect."),
    _done("deleteProject", "Deletes a project with all its branches.", "At once; there is no recovery."),
    _done("listProjectOperations", "Lists operations, newest first."),
    _done("getProjectOperation", "Shows an operation."),
    _done("getConnectionURI", "Gives a connection string for a role and a database, pooled or direct."),
    _done("listProjectBranches", "Lists branches with `annotations` and pages."),
    _done("countProjectBranches", "Counts branches."),
    _done(
        "createProjectBranch",
        "Creates a branch from its parent's present moment, expiring if asked to.",
        "Answers when that moment is fixed (up to 40 s), since the data is cloned, not shared. "
        "`cloned_by` (ours) says how: ficlone or copy. parent_lsn, parent_timestamp, schema-only and "
        "read replicas answer 501. A disk too small answers 507.",
    ),
    _done("getProjectBranch", "Shows a branch.", "Has one field more: `cloned_by`."),
    _done("updateProjectBranch", "Renames, protects, or sets when a branch expires."),
    _done("deleteProjectBranch", "Deletes a branch; a missing one answers 204.", "At once; no recovery."),
    _done("setDefaultProjectBranch", "Makes a branch the default."),
    _done("setPrimaryProjectBranch", "Answers the old name of the same.", source=PYTHON),
    _done("listProjectEndpoints", "Lists a project's endpoints."),
    _done("listProjectBranchEndpoints", "Lists a branch's endpoints."),
    _done("createProjectEndpoint", "Gives a branch its read-write endpoint.", "read_only answers 501."),
    _done("getProjectEndpoint", "Shows an endpoint and whether its compute is awake."),
    _done("updateProjectEndpoint", "Changes sizes, suspend timeout, name.", "Sizes are kept, not applied."),
    _done("deleteProjectEndpoint", "Deletes an endpoint; data stays."),
    _done("startProjectEndpoint", "Wakes a compute."),
    _done("suspendProjectEndpoint", "Lets a compute sleep."),
    _done("restartProjectEndpoint", "Stops a compute and starts it."),
    _done(
        "listProjectBranchRoles",
        "Lists roles.",
        "Only those made through the API: roles made by SQL can log in and are not listed.",
    ),
    _done("createProjectBranchRole", "Creates a role in neon_superuser that carries BYPASSRLS itself."),
    _done("getProjectBranchRole", "Shows a role."),
    _done("deleteProjectBranchRole", "Deletes a role; its things go to each database's owner."),
    _done(
        "getProjectBranchRolePassword",
        "Shows a role's password.",
        "The one the API gave last: a password set by SQL works and is not shown.",
    ),
    _done(
        "getProjectBranchRolePasswordByPost", "Answers the same by POST.", source="neon-api 0.3.0 for Python"
    ),
    _done("resetProjectBranchRolePassword", "Gives a new password and drops the role's connections."),
    _done("listProjectBranchDatabases", "Lists databases.", "Only those made through the API."),
    _done("createProjectBranchDatabase", "Creates a database whose owner owns the public schema."),
    _done("getProjectBranchDatabase", "Shows a database."),
    _done("updateProjectBranchDatabase", "Gives a database another owner.", "Renaming answers 501."),
    _done("deleteProjectBranchDatabase", "Deletes a database and drops its connections."),
    _done("getCurrentUserInfo", "Shows the user.", "One made-up user."),
    _done("getCurrentUserOrganizations", "Lists organizations.", "One made-up organization."),
    _done("getOrganization", "Shows an organization.", "One made-up organization."),
    _done("getAuthDetails", "Says how the call was let in."),
    _done("getActiveRegions", "Lists regions.", "One, named as Neon names one; it is this machine."),
    _done("listApiKeys", "Lists API keys.", "Always empty: any key is accepted."),
)

BEHAVIOURS: Final = (
    _done(
        "behaviour:bearer-token",
        "Calls without a bearer token answer 401.",
        "Any token is accepted; calls under a host name that is not this machine's own answer 403.",
    ),
    _done("behaviour:error-shape", "Errors are {request_id, code, message}."),
    _done("behaviour:unknown-route", "Unknown routes answer 404 `this route does not exist`.", source=CLI),
    _done(
        "behaviour:locked",
        "A change of a project with an operation in flight answers 423.",
        "Only after waiting 5 s for it: most operations here end sooner.",
    ),
    _done(
        "behaviour:expiry",
        "An expired branch is deleted by a background job.",
        "Within a second or two, while the server runs; otherwise when it starts.",
    ),
    _done(
        "behaviour:suspend",
        "A compute sleeps after suspend_timeout_seconds without queries or new connections.",
        source=DOCS,
    ),
    _done(
        "behaviour:host",
        "`endpoint.host` contains the endpoint's id, so that clients derive the pooled name.",
        "`ep-….localhost:PORT` where such names resolve, else `127.0.0.1:PORT/?options=endpoint%3Dep-…`.",
        source=CLI,
    ),
    _done(
        "behaviour:extensions",
        "neon_superuser may create extensions.",
        "Only those PostgreSQL calls trusted, among the ones the wheel holds.",
        source=DOCS,
    ),
    _done(
        "behaviour:durability",
        "What was acknowledged is there after a crash.",
        "The server may be killed at any moment; unfinished operations are finished or undone at the start.",
        source=DOCS,
    ),
)

DEFERRED: Final = (
    _later("restoreProjectBranch", "Resets or restores a branch.", "Needs the history window."),
    _later("createSnapshot", "Takes a snapshot.", "Needs the history window."),
    _later("getProjectBranchSchema", "Gives a branch's schema as SQL.", "Not built yet."),
    _later("getProjectBranchSchemaComparison", "Compares two schemas.", "Not built yet."),
    _later("recoverProject", "Brings a deleted project back.", "Deletion is final here."),
    _later("getConsumptionHistoryPerProjectV2", "Gives usage.", "Metering is not built yet."),
    _later("createNeonAuth", "Sets up Neon Auth.", "Not part of the local Neon."),
    _later("createProjectBranchDataAPI", "Sets up the Data API.", "Not part of the local Neon."),
)

REQUIREMENTS: Final = (*ANSWERED, *BEHAVIOURS, *DEFERRED)


def document() -> str:
    """Write the reference page in Markdown."""
    lines = [
        "# The local Neon: what it answers",
        "",
        "Generated from `src/neondba/local/requirements.py`; tests compare that table with the routes.",
        "The local Neon is a stand-in for development, tests and proofs. What is not listed as answered",
        "gives 404 `this route does not exist` or 501 with a sentence.",
        "",
    ]
    for title, rows in (("Answered", ANSWERED), ("Behaviour", BEHAVIOURS)):
        lines += [f"## {title}", "", "| what | does | differs from Neon | source |", "|---|---|---|---|"]
        lines += [
            f"| {_name(row)} | {row.sentence} | {row.divergence or ''} | {row.source} |" for row in rows
        ]
        lines.append("")
    lines += ["## Not answered yet", "", "| what | would do | why not |", "|---|---|---|"]
    lines += [f"| {_name(row)} | {row.sentence} | {row.deferred} |" for row in DEFERRED]
    return "\n".join(lines) + "\n"


def _line(row: Requirement) -> str:
    return f"| {_name(row)} | {row.sentence} | {row.divergence or ''} | {row.source} |"


def _name(row: Requirement) -> str:
    return f"`{row.id.removeprefix('behaviour:')}`"
