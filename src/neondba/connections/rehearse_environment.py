"""The variables that lead a project's programs to the relay, in the names that the project reads."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from neondba.connections.environments_files import env_files
from neondba.connections.setup_urls import Reach, value
from neondba.core.problem import ArgumentProblem, ConflictProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString, parse
from neondba.project.environment import EnvEntry, Environment
from neondba.project.facts import Facts
from neondba.project.places import is_test
from neondba.project.stack import Stack
from neondba.project.stack_variables import Use, Variable
from neondba.project.tree import FolderTree

_WHOLE: Final = re.compile(
    r"(?:DATABASE|POSTGRES|PG|DB|NEON|SQLALCHEMY|DIRECT).*(?:URL|URI|DSN)|^(?:DSN|DB_?URL)$"
)
_PART: Final = re.compile(
    r"^(?P<of>(?:\w+_)?(?:PG|POSTGRES(?:QL)?|DB|DATABASE|NEON)(?:_\w+?)?)_?"
    r"(?P<part>HOST(?:NAME)?|SERVER|PORT|USER(?:NAME)?|PASSWORD|PASS|DB|DATABASE|DBNAME|NAME)$"
)
_DIRECT: Final = re.compile(r"UNPOOLED|DIRECT|MIGRAT|NON_POOLING|ALEMBIC|SHADOW")
_CODE: Final = (".py", ".ts", ".js", ".mjs", ".cjs", ".mts")
_OVERRIDE: Final = re.compile(
    r"\b(?:load_dotenv|read_env|read_envfile)\([^)]*\b(?:override|overwrite)\s*=\s*True"
    r"|\b(?:dotenv|config)\w*(?:\.config)?\(\s*\{[^}]*\boverride\s*:\s*true"
)
_OTHERS: Final = re.compile(r"REDIS|MONGO|MYSQL|KAFKA|AMQP|RABBIT")


@dataclass(frozen=True)
class Ends:
    """Where the relay listens, as connection strings of the branch."""

    direct: ConnectionString
    app: ConnectionString
    """What the application uses: pooled or direct, as this run wants it."""
    logins: Mapping[str, Secret] = field(default_factory=dict)
    """Roles of the project's own strings that the branch lets in, with their passwords."""

    def acting(self, end: ConnectionString, held: ConnectionString) -> ConnectionString:
        """Keep the role of a string that the project has, where the branch knows it."""
        role = held.role or ""
        return end.with_role(role, self.logins[role]) if role in self.logins else end


@dataclass(frozen=True)
class Led:
    """The variables of a run, and which of the project's own are among them."""

    values: Mapping[str, Secret]
    own: tuple[str, ...]
    """Names that the project reads or sets beside the usual ones."""


def led(folder: Path, ends: Ends, usual: Mapping[str, str]) -> Led:
    """Give every variable that holds the address of a database, with the relay's in its place."""
    facts = Facts(FolderTree(folder))
    values = {name: Secret(value) for name, value in usual.items()}
    written: dict[str, Secret] = {}
    own: dict[str, Secret] = {}
    for name, held in _names(folder, facts.get(Environment)):
        if name in own or _OTHERS.search(name):
            continue
        given = _given(name, held, ends)
        if given is not None:
            own[name] = given
            if _parsed(held) is not None:
                written[name] = given
    # A string that somebody has written shows its form; elsewhere the driver tells it.
    by_driver = _by_driver(facts.get(Stack), ends)
    own = {**own, **{n: v for n, v in by_driver.items() if n in own}, **written}
    return Led({**values, **by_driver, **own}, tuple(sorted(own)))


def _by_driver(stack: Stack, ends: Ends) -> dict[str, Secret]:
    """Write the variables that the code reads as its drivers take them."""
    found: dict[str, Secret] = {}
    reach = Reach(pooled=ends.app, direct=ends.direct)
    for app in stack.using:
        usual = [] if app.using(Use.POOLED) else [Variable("DATABASE_URL", Use.POOLED, "", 0)]
        for variable in (*app.variables, *usual):
            found.setdefault(variable.name, value(app, variable, reach))
    return found


def _names(folder: Path, found: Environment) -> Iterator[tuple[str, str]]:
    """Give the variables that files set, the environment holds and code reads, with what they hold."""
    # From disk: where git ignores them, they are no files of the project to the facts.
    for file in sorted(env_files(folder), key=lambda file: file.is_example):
        yield from ((entry.key, entry.value.reveal()) for entry in file.entries)
    yield from os.environ.items()
    yield from ((read.name, read.default or "") for read in found.reads)


def refuse_overriding(folder: Path) -> None:
    """Refuse a program that puts its file of variables over what it is given: it would go elsewhere.

    Raises:
        ConflictProblem: code does so, and a file of the project holds the address of a database.
    """
    held = [
        file for file in env_files(folder) if not file.is_example and any(_leads(e) for e in file.entries)
    ]
    if not held:
        return
    tree = FolderTree(folder)
    for path in tree.having(_CODE, ("override", "overwrite")):
        found = None if is_test(path) else _OVERRIDE.search(tree.text(path) or "")
        if found:
            line = (tree.text(path) or "").count("\n", 0, found.start()) + 1
            raise ConflictProblem(
                "variables-overridden",
                f"{path}:{line} puts the file's variables over those it is given, and {held[0].path} holds "
                "the address of a database: the command would run there, not on a copy.",
                hint="Take override out of that call, which lets a deployment set its variables, or move "
                f"{held[0].path} away meanwhile.",
            )


def _leads(entry: EnvEntry) -> bool:
    return _parsed(entry.value.reveal()) is not None


def own_logins(folder: Path) -> dict[str, Secret]:
    """Give the roles of the project's own strings to Neon, with their passwords; of two, the first."""
    found: dict[str, Secret] = {}
    for file in env_files(folder):
        for entry in file.entries if not file.is_example else ():
            held = _parsed(entry.value.reveal())
            if held and held.role and held.password and held.endpoint_id:
                found.setdefault(held.role, held.password)
    return found


def _given(name: str, text: str, ends: Ends) -> Secret | None:
    end = ends.direct if _DIRECT.search(name.upper()) else ends.app
    held = _parsed(text)
    if held is not None:
        return _spelled(ends.acting(end, held), held).render()
    if re.match(r"(?!sqlite)\w+(?:\+\w+)?://", text):
        # Another kind of server: not ours to lead anywhere. A file of SQLite stands in for PostgreSQL.
        return None
    if _WHOLE.search(name.upper()):
        return end.render()
    found = _PART.match(name.upper())
    if found is None:
        return None
    return _piece(found["part"], end)


def _parsed(value: str) -> ConnectionString | None:
    if not value.startswith("postgres"):
        return None
    try:
        return parse(value)
    except ArgumentProblem:
        return None


def _spelled(end: ConnectionString, held: ConnectionString) -> ConnectionString:
    """Write the relay's address for the driver that the project's own is written for."""
    _, plus, driver = held.scheme.partition("+")
    made = end.with_driver(driver) if plus else replace(end, scheme=held.scheme)
    kept = dict(held.parameters).keys() & {"sslmode", "ssl", "channel_binding"}
    # A project that says nothing of TLS in its string says it elsewhere, and may refuse to hear it twice.
    parameters = tuple(
        (k, v) for k, v in made.parameters if k in kept or k not in ("sslmode", "ssl", "channel_binding")
    )
    more = tuple(
        (k, v)
        for k, v in held.parameters
        if k not in dict(parameters)
        and k not in ("sslmode", "ssl", "options", "channel_binding", "sslrootcert")
    )
    routed = tuple((k, v) for k, v in held.parameters if k == "options" and "endpoint=" not in v)
    return replace(made, parameters=(*parameters, *more, *routed))


def _piece(part: str, end: ConnectionString) -> Secret | None:
    if part.startswith("HOST") or part == "SERVER":
        return Secret(end.host)
    if part == "PORT":
        return Secret(str(end.port))
    if part.startswith("USER"):
        return Secret(end.role or "")
    if part.startswith("PASS"):
        return end.password
    return Secret(end.database or "")
