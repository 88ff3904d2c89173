"""Show that a new credential does what the old one does, and that the old one fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from neondba.access.rotate_files import Credential
from neondba.core.context import Context
from neondba.core.problem import ConflictProblem, CredentialsProblem, NotFoundProblem, Problem, RemoteProblem

if TYPE_CHECKING:
    from neondba.access.role_place import Place

PATIENCE: Final = 30.0
"""Seconds that a proxy may go on with what it remembers of a password."""


def logs_in(place: Place, credential: Credential) -> None:
    """Log in, direct and pooled.

    Raises:
        Problem: one of them is refused.
    """
    from neondba.postgres.connect import connect

    for pooled in (False, True):
        url = place.url(credential.role, credential.password, pooled=pooled)
        with connect(url.render()) as session:
            session.execute("select 1")


def proven(place: Place, new: Credential, old: Credential | None) -> list[str]:
    """Log in with the new credential, and compare it with the old one.

    Raises:
        ConflictProblem: it may do other things than the old one.
        Problem: it does not log in.
    """
    logs_in(place, new)
    said = [f"{new.role} logs in, pooled and direct."]
    if old is None:
        return said
    for pooled in (False, True):
        ours, ours_seen = _can(place, new, pooled=pooled)
        theirs, theirs_seen = _can(place, old, pooled=pooled)
        other = [what for what in sorted({*ours, *theirs}) if ours.get(what) != theirs.get(what)]
        other += [f"rows of {t}" for t in theirs_seen if ours_seen.get(t, theirs_seen[t]) != theirs_seen[t]]
        if other:
            raise ConflictProblem(
                "twin-differs",
                f"{new.role} is not the same to the database as {old.role}: {', '.join(other[:5])}.",
                hint="Everything is as before. Compare the two with neondba role audit.",
                differs=other[:50],
            )
        way = "pooled" if pooled else "direct"
        said.append(
            f"{way}: {new.role} has the same rights, settings and policies as {old.role} "
            f"({len(theirs)} compared) and sees the same rows of {len(theirs_seen)} tables with policies."
        )
    return said


def refused(ctx: Context, place: Place, role: str, old: Credential | None) -> list[str]:
    """Show that the old credential fails.

    Raises:
        RemoteProblem: it is still accepted.
    """
    if old is None:
        return [f"The old password of {role} is in no file any more, so it was not tried."]
    said = []
    for pooled in (False, True):
        end = ctx.clock.monotonic() + PATIENCE
        while (refusal := _refusal(place, old, pooled=pooled)) is None:
            if ctx.clock.monotonic() >= end:
                raise RemoteProblem(
                    "old-credential-accepted",
                    f"{role} was closed, yet its old password still opens a {_way(pooled)} session.",
                    hint="Run the command again in a minute; tell Neon's support if it goes on.",
                )
            ctx.clock.sleep(1)
        said.append(f"{_way(pooled)}: the old credential of {role} is refused ({refusal}).")
    return said


def _way(pooled: bool) -> str:
    return "pooled" if pooled else "direct"


def _can(place: Place, credential: Credential, *, pooled: bool) -> tuple[dict[str, str], dict[str, str]]:
    from neondba.postgres.connect import connect
    from neondba.postgres.role_twin import rights, visible

    with connect(place.url(credential.role, credential.password, pooled=pooled).render()) as session:
        return rights(session), visible(session)


def _refusal(place: Place, old: Credential, *, pooled: bool) -> str | None:
    """Give why the old credential is refused; nothing when it is not.

    Raises:
        Problem: nobody answers, which proves nothing.
    """
    from neondba.postgres.connect import connect

    try:
        connect(place.url(old.role, old.password, pooled=pooled).render()).close()
    except (CredentialsProblem, NotFoundProblem) as problem:
        return problem.code
    except Problem as problem:
        if "not permitted to log in" in str(problem.facts.get("said", "")):
            return "not permitted to log in"
        raise
    return None
