"""What the control plane does beyond single operations, and where it differs from Neon."""

from __future__ import annotations

from typing import Final

from neondba.local.requirement import CLI, OURS, SPEC, Requirement

BEHAVIOURS: Final = (
    Requirement(
        "api.bearer-token",
        "Calls without a bearer token answer 401.",
        "Any token is accepted but one that was revoked here; calls under a host name that is not this "
        "machine's own answer 403, and on Linux so do those of other users of this machine but root.",
        source=SPEC,
    ),
    Requirement("api.error-shape", "Errors are {request_id, code, message}.", source=SPEC),
    Requirement(
        "api.checked",
        "Path, query and body are checked against the published document before anything is done: 400 names "
        "the field and what it may be.",
        "Unknown fields are accepted. A body that is not JSON answers 415, one above 1 MB answers 413, one "
        "that takes longer than 30 s answers 408.",
        source=SPEC,
    ),
    Requirement(
        "api.not-available",
        "Neon Auth, the Data API, buckets and storage, functions, the AI gateway, credentials, triggers, "
        "logs and custom domains answer 404 with `not available`; buckets and functions are listed as empty.",
        "As Neon answers where a feature is missing, so that official programs go on without it.",
        source=CLI,
    ),
    Requirement("api.unknown-route", "Unknown routes answer 404 `this route does not exist`.", source=CLI),
    Requirement(
        "api.locked",
        "A change of a project with an operation in flight answers 423.",
        "Only after waiting 5 s for it: most operations here end sooner.",
        source=SPEC,
    ),
    Requirement(
        "api.host",
        "`endpoint.host` contains the endpoint's id, so that clients derive the pooled name.",
        "`ep-….localhost:PORT` where such names resolve, else "
        "`127.0.0.1:PORT/?options=endpoint%3Dep-…&application_name=ep-…`.",
        source=CLI,
    ),
    Requirement(
        "api.operations",
        "What a change does to computes and storage are operations, with Neon's actions and statuses.",
        "Most are finished before the answer is read.",
        source=SPEC,
    ),
    Requirement(
        "branch.expiry",
        "An expired branch is deleted by a background job.",
        "Within a second or two, while the server runs; otherwise when it starts.",
        source=SPEC,
    ),
    Requirement(
        "branch.kept",
        "The default branch, protected branches and branches with children are not deleted: 422.",
    ),
    Requirement(
        "branch.roots",
        "A schema-only branch is refused where a project has 25 root branches.",
    ),
    Requirement(
        "schema.schema-only",
        "A schema-only branch is a root: schema, roles, grants, policies and settings of every database.",
        "Subscriptions are left out: two would share one slot. The schema is dumped and made again in a "
        "new directory; functions that this calls run without the superuser's rights.",
    ),
    Requirement(
        "masking.history",
        "Masked data cannot be read unmasked from the anonymized branch.",
        "Tables are rewritten and analyzed, materialized views refreshed, triggers held back; then the "
        "branch's log, base copies and link to its parent's history are dropped. It cannot be restored or "
        "reset. Snapshots and children made before the masking keep what they have.",
    ),
    Requirement(
        "roles.rights",
        "Roles of the API are members of neon_superuser and bypass row-level security; roles made by SQL "
        "are not and do not.",
        "neon_superuser has the rights that PostgreSQL can give without making a superuser.",
    ),
    Requirement(
        "roles.superuser",
        "No role of a user is a superuser, becomes one or logs in as one.",
    ),
    Requirement(
        "roles.names",
        "Reserved names are refused: `pg_…`, `neon_superuser`, `cloud_admin`, `zenith_admin`, `public` and "
        "`none`; for databases `postgres`, `template0` and `template1`.",
    ),
    Requirement(
        "roles.password-strength",
        "Passwords set by SQL need 60 bits of entropy.",
        "Any password is taken.",
        deferred=True,
    ),
    Requirement(
        "machine.loopback",
        "Only programs of this machine reach it.",
        "Every port is on 127.0.0.1; Neon is reached from everywhere.",
        source=OURS,
    ),
    Requirement(
        "machine.files",
        "Files are the user's alone, and no password is in a log or in a list of processes.",
        "Role passwords and the keys of the certificate are random and stored in the state folder.",
        source=OURS,
    ),
    Requirement(
        "machine.unprivileged",
        "PostgreSQL runs without rights of its own.",
        "Started by root, it runs as an unprivileged user.",
        source=OURS,
    ),
    Requirement(
        "machine.durability",
        "What was acknowledged is there after a crash.",
        "The server may be killed at any moment; unfinished operations are finished or undone at the start. "
        "Computes end with their server and start again for the next client. An operation whose compute "
        "dies under it is tried again, up to three times (`failures_count`).",
        source=OURS,
    ),
    Requirement(
        "machine.full-disk",
        "A full disk harms nothing that is there.",
        "Neon has no such limit. What would not fit is refused first: 507, or one clear problem. A megabyte "
        "is set aside for the state, so that a branch can still be deleted.",
        source=OURS,
    ),
    Requirement(
        "machine.idle",
        "Without clients it costs nothing.",
        "The server ends by itself after 15 minutes without one (`--idle-exit`), and starts again with the "
        "next command of neondba that needs it. With `--foreground` it stays.",
        source=OURS,
    ),
    Requirement(
        "machine.addresses",
        "Addresses stay the same for life.",
        "Ports are free ones, chosen at the first start and kept, so connection strings go on working; "
        "`--port` and `--postgres-port` choose others.",
        source=OURS,
    ),
)
