"""Drive one child process through a project's migrations."""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, unquote, urlsplit

from pydantic import BaseModel

from neondba.core.problem import ConflictProblem, Problem, RemoteProblem
from neondba.core.secret import Secret
from neondba.project.alembic_runner.history import Revision, in_order

CHILD = Path(__file__).with_name("child.py")
LOOK_EVERY = 0.05
"""Seconds between two looks at the server while a step runs."""
START_LIMIT = 60.0


class HeldLock(BaseModel):
    """A lock that a statement left held, and what its transaction has done to the relation so far."""

    oid: int
    relation: str
    mode: str
    file: int = 0
    """Its file node; another one than before means that it was written anew."""
    read: int = 0
    """Rows given by whole reads and index reads."""
    inserted: int = 0
    updated: int = 0
    deleted: int = 0


class Executed(BaseModel):
    """One statement that a step sent."""

    text: str
    seconds: float | None = None
    """Nothing when it failed or was stopped."""
    locks: tuple[HeldLock, ...] = ()
    wal: int | None = None
    """Where the server's log ended after it, in bytes."""
    moment: float | None = None
    """When its transaction began: the same for all that share one."""
    patient: bool = False
    """Whether lock_timeout limits how long it waits for a lock, and others behind it."""

    def after(self, seconds: float, seen: Sequence[Sequence[Any]]) -> Executed:
        """Add what the probe showed."""
        held = tuple(
            HeldLock(
                oid=oid, relation=name, mode=mode, file=file, read=read, inserted=i, updated=u, deleted=d
            )
            for _, _, _, oid, name, mode, file, read, i, u, d in seen
            if oid is not None
        )
        wal, moment, patience = seen[0][:3] if seen else (None, None, "0")
        found = {"wal": wal, "moment": moment, "patient": patience not in ("0", "0ms")}
        return self.model_copy(update={"seconds": seconds, "locks": held, **found})


class Failure(BaseModel):
    """What the project's own code or its database said."""

    kind: str
    said: str
    sqlstate: str | None = None
    module: str | None = None
    file: str | None = None
    at: str | None = None


class StepResult(BaseModel):
    """What came of one revision in one direction."""

    seconds: float
    statements: tuple[Executed, ...] = ()
    failure: Failure | None = None
    stopped: bool = False
    """True when it ran into the limit."""
    session: int | None = None
    """The server process that ran it."""
    wal: int | None = None
    """Where the server's log ended before it, in bytes."""


class Verified(BaseModel):
    """The project's connection, proven to be to the branch."""

    pid: int
    heads: tuple[str, ...]
    version_table: str
    version_schema: str | None


class Runner:
    """The project's Alembic in one child process."""

    def __init__(self, python: Path, config: Path, folder: Path, environment: dict[str, Secret]) -> None:
        to_child, self._commands = os.pipe()
        self._events, from_child = os.pipe()
        self._buffer = b""
        self._doing = "started"
        self.session: int | None = None
        """The server process that runs the current step, or ran the last one."""
        held = {s.reveal() for n, s in environment.items() if "PASS" in n or "URL" in n}
        self._secrets = sorted({text for value in held for text in _spellings(value)}, key=len, reverse=True)
        shown = {name: secret.reveal() for name, secret in environment.items()}
        marked = {**os.environ, **shown, "NEONDBA_PROJECT_FOLDER": str(folder), "PYTHONUNBUFFERED": "1"}
        try:
            self._process = subprocess.Popen(
                [python, "-B", CHILD, config, str(to_child), str(from_child)],
                cwd=config.parent,
                env=marked,
                pass_fds=(to_child, from_child),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # Ctrl-C is ours to handle: we end the child ourselves.
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._commands)
            os.close(self._events)
            raise RemoteProblem(
                "python-not-started",
                f"{python} could not be started: {error.strerror}.",
                hint="Name the project's interpreter with --python.",
            ) from None
        finally:
            os.close(to_child)
            os.close(from_child)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def close(self) -> None:
        """End the child and whatever it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for end in (self._commands, self._events):
            try:
                os.close(end)
            except OSError:
                continue

    def start(self) -> bool:
        """Wait for the child; false when its Python has no Alembic."""
        return bool(self._next(START_LIMIT)["event"] == "hello")

    def history(self) -> list[Revision]:
        """Give the project's revisions, oldest first.

        Raises:
            Problem: the history is broken; it names revisions and files.
        """
        self._ask("open")
        self._ask("history")
        # `open` answers only when it fails.
        answer = self._next(START_LIMIT)
        if answer["event"] != "history":
            raise self.unusable(Failure(**_body(answer)))
        ordered = in_order([Revision(**entry) for entry in answer["revisions"]], answer["broken"])
        self._ask("load")
        answer = self._next(START_LIMIT)
        if answer["event"] != "loaded":
            raise self.unusable(Failure(**_body(answer)))
        return ordered

    def verify(self, key: int) -> Verified | Failure:
        """Connect as the project does; see whether our advisory lock is held there.

        Raises:
            ConflictProblem: it is another one. Nothing has been changed there.
        """
        self._doing = "connected to the branch"
        self._ask("verify", high=key >> 32, low=key & 0xFFFFFFFF)
        answer = self._next(START_LIMIT)
        if answer["event"] == "elsewhere":
            raise elsewhere()
        if answer["event"] != "verified":
            return Failure(**_body(answer))
        if not answer["marked"]:
            raise elsewhere()
        return Verified(**answer)

    def step(
        self,
        direction: str,
        revision: str,
        limit: float,
        look: Callable[[], None],
        lock_timeout: float = 0.0,
    ) -> StepResult:
        """Run one revision up or down, calling `look` meanwhile; give up at the limit."""
        self._doing = f"ran revision {revision} {direction}"
        patience = int(lock_timeout * 1000)
        self._ask("step", direction=direction, revision=revision, lock_timeout=patience)
        return self._collect(limit, look)

    def stamp(self, revision: str, limit: float) -> StepResult:
        """Record a revision as the current one without running it."""
        self._ask("stamp", revision=revision)
        return self._collect(limit, lambda: None)

    def _collect(self, limit: float, look: Callable[[], None]) -> StepResult:
        began = time.monotonic()
        statements: dict[int, Executed] = {}
        session = wal = None
        while True:
            event = self._next(limit - (time.monotonic() - began), look)
            match event["event"]:
                case "session":
                    self.session = session = event["pid"]
                    wal = event["wal"]
                case "statement":
                    statements[event["number"]] = Executed(text=event["text"])
                case "executed":
                    done = statements[event["number"]]
                    statements[event["number"]] = done.after(event["seconds"], event["seen"])
                case "elsewhere":
                    raise elsewhere()
                case kind:
                    return StepResult(
                        seconds=event.get("seconds", time.monotonic() - began),
                        statements=tuple(statements.values()),
                        failure=Failure(**_body(event)) if kind == "failed" else None,
                        stopped=kind == "late",
                        session=session,
                        wal=wal,
                    )

    def _ask(self, command: str, **values: Any) -> None:
        line = json.dumps({"do": command, **values}) + "\n"
        try:
            os.write(self._commands, line.encode())
        except BrokenPipeError:
            raise self._gone() from None

    def _next(self, limit: float, look: Callable[[], None] | None = None) -> dict[str, Any]:
        ends = time.monotonic() + limit
        while b"\n" not in self._buffer:
            left = ends - time.monotonic()
            if left <= 0:
                return {"event": "late"}
            ready, _, _ = select.select([self._events], [], [], min(left, LOOK_EVERY))
            if ready:
                part = os.read(self._events, 65536)
                if not part:
                    raise self._gone()
                self._buffer += part
            elif look is not None:
                look()
        line, _, self._buffer = self._buffer.partition(b"\n")
        return self._masked(json.loads(line))

    def _masked(self, event: dict[str, Any]) -> dict[str, Any]:
        for name in ("said", "text"):
            if isinstance(event.get(name), str):
                for secret in self._secrets:
                    event[name] = event[name].replace(secret, "***")
        return event

    def _gone(self) -> Problem:
        status = self._process.wait()
        how = f"by signal {-status}" if status < 0 else f"with status {status}"
        return RemoteProblem(
            "alembic-ended",
            f"The process of the project's Alembic ended {how} while it {self._doing}.",
            hint="Look there for code that ends its own process, or for a lack of memory.",
            status=status,
        )

    def unusable(self, failure: Failure) -> Problem:
        """Say why the project's Alembic cannot be used at all."""
        place = f" ({failure.at or failure.file})" if failure.at or failure.file else ""
        hint = "`alembic current` must run in the project before its migrations can be rehearsed."
        if failure.module:
            hint = f"Install {failure.module} where the project runs, or name its interpreter: --python PATH."
        return ConflictProblem(
            "alembic-unusable",
            f"The project's Alembic does not run{place}: {failure.kind}: {first_line(failure.said)}",
            hint=hint,
            **failure.model_dump(exclude_none=True),
        )


def elsewhere() -> Problem:
    """Say that the project's settings win over the environment."""
    return ConflictProblem(
        "alembic-elsewhere",
        "The project's Alembic connects somewhere else than to the branch; nothing was run.",
        hint="Let the project's env.py read the address from an environment variable such as DATABASE_URL,"
        " and let the environment win over .env.",
    )


def _spellings(value: str) -> set[str]:
    """Give the forms in which a project may print a secret."""
    password = (urlsplit(value).password or "") if "://" in value else value
    # An endpoint may stand before the password, parted by "$".
    bare = unquote(password).rpartition("$")[2]
    forms = {value, password, bare, quote(value, safe=""), quote(bare, safe="")}
    return {form for form in forms if len(form) > 3}


def new_key() -> int:
    """Make an advisory lock key that nobody else uses: the lock's number is the mark."""
    return secrets.randbits(63)


def first_line(text: str) -> str:
    """Give a text's first line without its end."""
    return text.strip().split("\n", 1)[0]


def _body(event: dict[str, Any]) -> dict[str, Any]:
    if event["event"] == "late":
        return {"kind": "TimeoutError", "said": f"no answer within {START_LIMIT:.0f} s"}
    return {key: value for key, value in event.items() if key != "event"}
