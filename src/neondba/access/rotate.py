"""Exchange a role's credential: a second one beside it, files switched, the old one closed and shown so.

Where this is stopped, even by SIGKILL, the credential in the files works: the new one is proven before any
file is switched, and the old one is closed only when every file holds the new one. The next run finds in the
database and in the files where this one left off.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

from neondba.access import rotate_proof
from neondba.access.role_results import Consumer, RoleRotated
from neondba.access.rotate_consumers import sessions
from neondba.access.rotate_files import Credential, holdings, switched
from neondba.access.rotate_look import Asked, Look, listed, look, store
from neondba.core.context import Context
from neondba.core.plan import Effect, Plan
from neondba.core.problem import ConflictProblem, NotFoundProblem, Problem
from neondba.project import env_file
from neondba.project.env_file import EnvText

if TYPE_CHECKING:
    from neondba.access.role_place import Place
    from neondba.core.rotation_store import RotationRow

POLL: Final = 0.5
"""Seconds between two looks at the sessions."""
QUIET: Final = 5.0
"""Seconds without a session of the old role: who read a file just before the switch is still on the way."""


def rotated(ctx: Context, place: Place, name: str, asked: Asked) -> RoleRotated:
    """Exchange a role's credential, with overlap where the role can have a twin.

    Raises:
        NotFoundProblem: there is no such role, or no file holds its credential.
        ConflictProblem: the role cannot have a second login, or another machine is rotating it.
    """
    from neondba.access.rotate_reset import reset
    from neondba.postgres.role_twin import facts, pair_of

    pair = pair_of(place.session, name)
    if pair is None:
        raise NotFoundProblem(
            "role-not-found",
            f"There is no role {name} on {place.branch.name}.",
            hint=f"neondba role create {quote(name)} --application makes one.",
        )
    if asked.no_overlap or not facts(place.session, pair.base)["may_manage"]:
        return reset(ctx, place, name, asked)
    seen = look(ctx, place, pair, asked)
    require_possible(place, seen)
    with ctx.carry_out(plan_of(ctx, place, seen, asked)):
        return carried_out(ctx, place, seen, asked)


def plan_of(ctx: Context, place: Place, seen: Look, asked: Asked) -> Plan:
    """Say what will be done, step by step."""
    old, new, files = seen.old, seen.new, ", ".join(listed(seen.paths, ctx.folder))
    steps = []
    if seen.given is None:
        steps += [f"{each};" for each in _preparing(place, seen, "…")]
        steps.append(f"Set a new password for {new}, seen by no log; {old} keeps its own.")
    steps.append(f"Log in as {new}, pooled and direct; compare its rights and the rows it sees with {old}'s.")
    steps.append(f"Write the new credential to {files}.")
    until = "" if asked.close else f" First wait up to {asked.wait:g} s for those who use it."
    closing = f"Close {old}: no login, a password that nobody knows, its sessions ended; show that it fails."
    if seen.by_hand and not asked.close:
        places = ", ".join(dict.fromkeys(each.where for each in seen.by_hand))
        steps.append(f"Leave {old} open for {places}: run again with --close when they have moved.")
    else:
        steps.append(closing + until)
    return Plan(
        operation="role.rotate", effect=Effect.WRITE, target=place.target(seen.pair.base), steps=tuple(steps)
    )


def require_possible(place: Place, seen: Look) -> None:
    """Refuse what a twin could not stand in for.

    Raises:
        ConflictProblem: a policy asks for the session's own role, or the role cannot have a twin.
    """
    from neondba.postgres.role_twin import facts

    found = facts(place.session, seen.pair.base)
    if found["policies_by_session"]:
        raise ConflictProblem(
            "policy-names-session-user",
            f"{', '.join(found['policies_by_session'])} uses session_user, which differs for the twin.",
            hint="Write current_user there: the sessions of both act as the role.",
        )
    if found["replicates"]:
        raise ConflictProblem(
            "role-replicates",
            f"Role {seen.pair.base} is used for replication, which a member of it cannot do in its place.",
            hint="Rotate it with --no-overlap.",
        )


def carried_out(ctx: Context, place: Place, seen: Look, asked: Asked) -> RoleRotated:
    """Do it, within a plan that was agreed to.

    Raises:
        Problem: the new credential does not do what the old one does; everything is as before then.
    """
    run = _Run(ctx, place, seen, asked)
    new = run.overlapping()
    run.switch(new)
    waiting = run.waited()
    if not waiting:
        run.close(new)
    again = f"neondba role rotate {seen.pair.base}"
    return RoleRotated(
        project=place.project.name,
        branch=place.branch.name,
        database=place.database,
        role=seen.pair.base,
        old=seen.old,
        new=seen.new,
        closed=not waiting,
        files=tuple(listed(seen.paths, ctx.folder)),
        consumers=(*seen.consumers, *run.seen_sessions),
        checks=tuple(run.checks),
        waiting_for=tuple(waiting),
        next=(f"{again}  (when they have moved)", f"{again} --close  (at once)") if waiting else (),
    )


def _preparing(place: Place, seen: Look, rotation: str, said: str = "…") -> tuple[str, ...]:
    from neondba.postgres.role_twin import preparing

    return preparing(place.session, seen.pair, seen.new, rotation, said)


@dataclass
class _Run:
    """One rotation under way."""

    ctx: Context
    place: Place
    seen: Look
    asked: Asked
    checks: list[str] = field(default_factory=list)
    seen_sessions: list[Consumer] = field(default_factory=list)
    _before: dict[Path, EnvText] = field(default_factory=dict)

    def overlapping(self) -> Credential:
        """Open the new credential beside the old one, and prove it; undo that when it fails."""
        from neondba.core import rotation_store
        from neondba.postgres.role_password import generated
        from neondba.postgres.role_twin import send

        seen, session = self.seen, self.place.session
        self.seen_sessions = sessions(session, seen.pair.names)
        if seen.given is not None:
            self.checks += rotate_proof.proven(self.place, seen.given, seen.was)
            return seen.given
        new = Credential(seen.new, generated(self.ctx.chance))
        rotation, now = f"{self.ctx.chance.getrandbits(64):016x}", self.ctx.clock.now()
        rotation_store.begin(store(self.ctx), self._row(rotation, now))
        way = "to the twin" if seen.new == seen.pair.twin else "back to the role itself"
        said = f"{way}, begun {now:%Y-%m-%d %H:%M} UTC on {socket.gethostname()}"
        self.ctx.progress(f"Opening {seen.new} beside {seen.old}.")
        try:
            send(session, _preparing(self.place, seen, rotation, said), new.role, new.password)
            self.checks += rotate_proof.proven(self.place, new, seen.was)
        except BaseException:
            self._close_new()
            raise
        return new

    def switch(self, new: Credential) -> None:
        """Write the new credential to every file; put all of them back when one cannot be written."""
        seen = self.seen
        try:
            for path in seen.paths:
                self.ctx.progress(f"Writing the new credential to {path.name}.")
                text = env_file.read(path)
                self._before[path] = text
                env_file.write(path, switched(text, seen.pair.names, seen.endpoints, new))
            left = [
                each.path.name
                for each in holdings(seen.paths, seen.pair.names, seen.endpoints)
                if each.credential != new
            ]
            if left:
                raise ConflictProblem(
                    "file-changed-meanwhile", f"{', '.join(left)} was written to by somebody else meanwhile."
                )
        except BaseException:
            self._put_back()
            self._close_new()
            raise

    def waited(self) -> list[str]:
        """Wait until nobody uses the old credential; give who still does."""
        if self.asked.close:
            return []
        by_hand = [f"{each.where}: {each.said}" for each in self.seen.by_hand]
        if by_hand:
            return by_hand
        clock, quiet = self.ctx.clock, min(QUIET, self.asked.wait)
        used = clock.monotonic()
        end = used + self.asked.wait
        while (now := clock.monotonic()) < end:
            left = self._still_using()
            if not left and now - used >= quiet:
                return []
            if left:
                used = now
                self.ctx.progress(f"Waiting for {'; '.join(left[:3])}.")
            clock.sleep(min(POLL, max(0.0, end - now)))
        return self._still_using()

    def close(self, new: Credential) -> None:
        """Close the old credential and show that it fails; open it again when the new one fails too."""
        from neondba.core import rotation_store
        from neondba.postgres.ddl.names import quote_ident
        from neondba.postgres.role_password import generated
        from neondba.postgres.role_twin import end_sessions, finished, pair_of, send

        seen, session = self.seen, self.place.session
        rotate_proof.logs_in(self.place, new)
        self.ctx.progress(f"Closing {seen.old}.")
        send(session, (f"alter role {quote_ident(seen.old)} nologin",), seen.old, generated(self.ctx.chance))
        ended = end_sessions(session, seen.old)
        try:
            rotate_proof.logs_in(self.place, new)
        except Problem:
            self._reopen()
            raise
        self.checks.append(f"{seen.new} logs in, pooled and direct, after {seen.old} was closed.")
        self.checks.append(f"Sessions of {seen.old} that were ended: {ended}.")
        self.checks += rotate_proof.refused(self.ctx, self.place, seen.old, seen.was)
        pair = pair_of(session, seen.pair.base)
        finished(session, seen.pair)
        if pair is not None and pair.rotation is not None:
            rotation_store.end(store(self.ctx), pair.rotation)

    def _row(self, rotation: str, now: datetime) -> RotationRow:
        from neondba.core.rotation_store import RotationRow

        return RotationRow(
            id=rotation,
            place=self.place.key,
            role=self.seen.pair.base,
            old=self.seen.old,
            new=self.seen.new,
            folder=str(self.ctx.folder),
            at=now,
        )

    def _still_using(self) -> list[str]:
        """Give who uses the old role, but for what the pooler keeps and nothing has come through lately."""
        from neondba.postgres.connect import ask

        rows = ask(self.place.session, "twin_sessions", [self.seen.old])
        quiet = max(min(QUIET, self.asked.wait), self.asked.wait / 2)
        return [
            f"{row['application']} at {row['address']}: {row['sessions']} sessions as {row['role']}"
            for row in rows
            if row["busy"] or row["remote"] or row["unused"] is None or row["unused"] < quiet
        ]

    def _put_back(self) -> None:
        for path, text in self._before.items():
            env_file.write(path, text)

    def _close_new(self) -> None:
        """Undo the overlap: drop the twin, or close the role again. Somebody who uses it keeps it."""
        from neondba.core import rotation_store
        from neondba.postgres.connect import ask
        from neondba.postgres.ddl.names import quote_ident
        from neondba.postgres.role_password import generated
        from neondba.postgres.role_twin import drop_twin, finished, pair_of, send

        seen, session = self.seen, self.place.session
        pair = pair_of(session, seen.pair.base)
        if pair is None or not pair.twin_exists or ask(session, "twin_sessions", [seen.new]):
            return
        if seen.pair.twin_exists or not drop_twin(session, pair):
            send(
                session,
                (f"alter role {quote_ident(seen.new)} nologin",),
                seen.new,
                generated(self.ctx.chance),
            )
            finished(session, pair)
        if pair.rotation is not None:
            rotation_store.end(store(self.ctx), pair.rotation)

    def _reopen(self) -> None:
        from neondba.postgres.ddl.names import quote_ident
        from neondba.postgres.role_twin import send

        was = self.seen.was
        if was is not None:
            send(self.place.session, (f"alter role {quote_ident(was.role)} login",), was.role, was.password)
            self._put_back()
