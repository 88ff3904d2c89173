"""How an application is started on the branch: interpreter, environment, driver, preparation."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.access.application_environment import Given, environment_for
from neondba.access.application_place import Application, interpreter
from neondba.access.application_process import Running, free_port, started
from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, NotFoundProblem, RemoteProblem
from neondba.core.secret import Secret

if TYPE_CHECKING:
    from neondba.project.environment import Environment

_DRIVER: Final = (
    "async driver", "psycopg2", "asyncpg", "psycopg", "sslmode", "NoSuchModuleError", "MissingGreenlet",
    "dialect",
)  # fmt: skip
LIMIT: Final = 300.0
"""Seconds after which the walk ends with what it has."""


@dataclass(frozen=True)
class Asked:
    """What the user said of the application."""

    application: str | None = None
    start: str | None = None
    python: str | None = None
    prepare: str | None = None
    login: str | None = None
    register: str | None = None
    given: Mapping[str, str] | None = None
    role: str | None = None
    owners: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    config: str | None = None
    limit: float = LIMIT
    platform_url: Callable[[str], Secret] | None = None


def values(texts: tuple[str, ...]) -> dict[str, str]:
    """Read `NAME=VALUE` texts.

    Raises:
        ArgumentProblem: one has no `=`.
    """
    for text in texts:
        if not re.match(r"[A-Za-z_]\w*=", text):
            raise ArgumentProblem(
                "setting-invalid", "A value of --set has no name.", hint="Write it as --set NAME=VALUE"
            )
    return {name: value for name, _, value in (text.partition("=") for text in texts)}


@dataclass(frozen=True)
class Starter:
    """Starts one application."""

    ctx: Context
    folder: Path
    read: Environment
    asked: Asked
    found: Application
    python: Path | None

    @cached_property
    def schemes(self) -> list[str]:
        """The spellings of an address to try, the project's own first."""
        from neondba.project.alembic_runner.environment import names_in, schemes_to_try

        return schemes_to_try(names_in(self.folder))

    def given(self, copy: Path, url: Secret, provider: str, scheme: str) -> Given:
        """Give the environment for one spelling of the address."""
        given = environment_for(
            self.ctx, self.folder, self.read, url, provider, scheme, self.asked.given or {}
        )
        values = {**given.values, **_paths(copy / self.found.base, copy, self.python)}
        return Given(values, given.signing, given.audiences, given.hidden)

    @contextmanager
    def running(self, copy: Path, url: Secret, provider: str) -> Iterator[tuple[Running, Given]]:
        """Start with the driver that the project writes, else with another."""
        for scheme in self.schemes:
            given = self.given(copy, url, provider, scheme)
            port = free_port()
            given.values["PORT"] = Secret(str(port))
            self.ctx.progress(f"Starting {self.found.target}.")
            with contextlib.ExitStack() as stack:
                try:
                    running = stack.enter_context(
                        started(
                            self.ctx,
                            self._command(port),
                            copy / self.found.base,
                            given.values,
                            port,
                            given.hidden,
                        )
                    )
                except RemoteProblem as problem:
                    if scheme == self.schemes[-1] or not self.is_of_the_driver(problem.message):
                        raise
                    continue
                yield running, given
                return

    def is_of_the_driver(self, said: str) -> bool:
        """Tell whether another spelling of the address may help."""
        return any(word in said for word in _DRIVER)

    def _command(self, port: int) -> list[str]:
        if self.asked.start is not None:
            return shlex.split(self.asked.start.replace("{port}", str(port)))
        where = ["--host", "127.0.0.1", "--port", str(port)]
        factory = ["--factory"] if self.found.target.endswith("()") else []
        return [str(self.python), "-m", "uvicorn", self.found.target.removesuffix("()"), *where, *factory]


def _paths(base: Path, copy: Path, python: Path | None) -> dict[str, Secret]:
    """Let the copy's own modules come before installed ones of the same name."""
    places = [base, base / "src", copy]
    found = {"PYTHONPATH": Secret(":".join(str(place) for place in places))}
    if python is not None:
        found["PATH"] = Secret(f"{python.parent}{os.pathsep}{os.environ.get('PATH', '')}")
    return found


def python_for(folder: Path, found: Application, asked: Asked) -> Path | None:
    """Give the interpreter; nothing where only the user's own command knows it."""
    try:
        return interpreter(folder / found.base, folder, asked.python)
    except NotFoundProblem:
        if asked.start is None or asked.python is not None:
            raise
        return None
