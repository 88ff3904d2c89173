"""What a rotation finds, and what it will do about it; nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING

from neondba.access.role_file import refuse_tracked
from neondba.access.role_results import Consumer
from neondba.access.rotate_consumers import copies, in_project
from neondba.access.rotate_files import Credential, Holding, env_files, holdings
from neondba.core.context import Context
from neondba.core.problem import ConflictProblem, CredentialsProblem, NotFoundProblem, Problem

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from neondba.access.role_place import Place
    from neondba.postgres.role_twin import Pair


@dataclass(frozen=True)
class Asked:
    """How the user wants it."""

    wait: float = 60.0
    close: bool = False
    no_overlap: bool = False
    start_over: bool = False
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Look:
    """Everything that is known before the plan is shown."""

    pair: Pair
    old: str
    new: str
    held: tuple[Holding, ...]
    paths: tuple[Path, ...]
    """Files that hold a credential of the pair, in order."""
    was: Credential | None
    """The old credential, where a file holds it still."""
    given: Credential | None
    """The new credential, where a run that was stopped had written it to a file already."""
    endpoints: frozenset[str]
    consumers: tuple[Consumer, ...] = field(default=())

    @property
    def by_hand(self) -> list[Consumer]:
        """Give what this command cannot change."""
        return [each for each in self.consumers if each.by_hand]


def look(ctx: Context, place: Place, pair: Pair, asked: Asked) -> Look:
    """Find the credential in use, and where a run that was stopped left off.

    Raises:
        Problem: no file holds a credential that works, or another machine is rotating the role.
    """
    endpoints = place.endpoints
    kept = ctx.settings.state_dir / "roles" / place.project.id / place.branch.id
    more = [*(ctx.folder / each for each in asked.files), *sorted(kept.glob("*.env"))]
    held = tuple(holdings(env_files(ctx.folder, more), pair.names, endpoints))
    different = dict.fromkeys(each.credential for each in held)
    working = {each.role: each for each in different if logs_in(place, each)}
    for each in held:
        refuse_tracked(ctx.folder, each.path)
    old, new, given = _way(ctx, place, pair, held, working, asked)
    passwords = {each.credential.password for each in held}
    return Look(
        pair,
        old,
        new,
        held,
        tuple(dict.fromkeys(each.path for each in held)),
        working.get(old),
        given,
        endpoints,
        (*in_project(ctx.folder, held, passwords), *copies(place)),
    )


def logs_in(place: Place, credential: Credential) -> bool:
    """Tell whether a credential opens a session.

    Raises:
        Problem: the branch cannot be reached at all.
    """
    from neondba.postgres.connect import connect

    try:
        connect(place.url(credential.role, credential.password, pooled=False).render()).close()
    except (CredentialsProblem, NotFoundProblem):
        return False
    except Problem as problem:
        if "not permitted to log in" not in str(problem.facts.get("said", "")):
            raise
        return False
    return True


def _way(
    ctx: Context,
    place: Place,
    pair: Pair,
    held: tuple[Holding, ...],
    working: dict[str, Credential],
    asked: Asked,
) -> tuple[str, str, Credential | None]:
    """Say which role's credential goes, which comes, and whether the new one is in a file already."""
    if not held:
        raise _nowhere(ctx, place, pair)
    if not working:
        raise _dead(pair, held)
    if pair.rotation is None or asked.start_over:
        return _fresh(pair, working)
    old, new = _under_way(pair)
    if new in working:
        return old, new, working[new]
    if not _is_ours(ctx, pair):
        raise ConflictProblem(
            "rotation-elsewhere",
            f"A rotation of {pair.base} is under way, {pair.said}; no file here holds its new credential.",
            hint="Finish it there. If that machine is gone: --start-over sets a new password for "
            f"{new}, which locks out whoever uses it already.",
        )
    return old, new, None


def _fresh(pair: Pair, working: dict[str, Credential]) -> tuple[str, str, Credential | None]:
    if len(working) > 1:
        raise ConflictProblem(
            "rotation-unclear",
            f"The files hold working credentials of both {pair.base} and {pair.twin}.",
            hint="Put the one to keep into all of them, then run this again.",
        )
    old = next(iter(working))
    return old, pair.other(old), None


def _under_way(pair: Pair) -> tuple[str, str]:
    """Read from the note which way a rotation goes: `from app to app_b, …`."""
    to_twin = pair.said.startswith("to the twin")
    return (pair.base, pair.twin) if to_twin else (pair.twin, pair.base)


def _is_ours(ctx: Context, pair: Pair) -> bool:
    from neondba.core import rotation_store

    if pair.rotation is None:
        return False
    return rotation_store.known(store(ctx), pair.rotation) is not None


def store(ctx: Context) -> Engine:
    """Open the table of rotations that are under way."""
    from neondba.core import rotation_store

    return rotation_store.engine(ctx.settings.state_dir / "rotations.sqlite")


def _nowhere(ctx: Context, place: Place, pair: Pair) -> NotFoundProblem:
    return NotFoundProblem(
        "credential-not-found",
        f"No file of variables under {ctx.folder} holds a credential of {pair.base} for branch "
        f"{place.branch.name}.",
        hint="Name the file with --file, or another branch with --branch. Where nobody knows the password: "
        f"neondba role create {quote(pair.base)} --new-password, with its profile.",
    )


def _dead(pair: Pair, held: tuple[Holding, ...]) -> CredentialsProblem:
    files = ", ".join(dict.fromkeys(each.path.name for each in held))
    newest = " or ".join(sorted(pair.open)) or "none of its logins"
    return CredentialsProblem(
        "credential-closed",
        f"The credential of {held[0].credential.role} in {files} does not work any more.",
        hint=f"It was changed elsewhere: {newest} may log in now. Get the new credential from there.",
    )


def listed(paths: tuple[Path, ...], folder: Path) -> Iterator[str]:
    """Give paths as the user sees them."""
    for path in paths:
        yield path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)
