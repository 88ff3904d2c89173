"""The files of variables of an environment: which names are to be set, and what leads there already."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neondba.connections.setup_urls import Reach, endpoint_of, read, value
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString
from neondba.project import env_file
from neondba.project.env_file import EnvText
from neondba.project.stack import App
from neondba.project.stack_variables import Use, Variable, use_of

POOLED_NAME: Final = "DATABASE_URL"
DIRECT_NAME: Final = "DATABASE_URL_UNPOOLED"
LIBPQ: Final = ("PGPORT", "PGSSLMODE", "PGCHANNELBINDING")
EXAMPLES: Final = (".env.example", ".env.sample", ".env.template", ".env.local.example", "env.example")


@dataclass(frozen=True)
class EnvPlan:
    """One file, the variables that it is to have, and which of them lead to the right place already."""

    path: Path
    variables: tuple[tuple[App, Variable], ...]
    endpoints: frozenset[str] = frozenset()
    """Ids of the branch's computes."""
    ours: Callable[[str | None], bool] = field(default=lambda _endpoint: False, repr=False)
    """Tells whether an endpoint is, or was, one of this project: an address of it is no loss."""
    example: Path | None = None
    """File that a new one begins as."""
    text: EnvText = field(default_factory=EnvText, repr=False)
    """What is there, or what the example gives."""
    there: bool = False
    stale: frozenset[Use] = frozenset()
    """Uses whose password is no longer the role's."""

    @property
    def logins(self) -> dict[Use, ConnectionString]:
        """Give the addresses in it that lead to the branch, by their use."""
        found: dict[Use, ConnectionString] = {}
        if not self.there:
            return found
        for _, variable in self.variables:
            url = read(self.text.value(variable.name)) if variable.use.is_url else None
            if url is not None and endpoint_of(url) in self.endpoints and variable.use not in self.stale:
                found.setdefault(variable.use, url)
        parts = self._from_parts()
        if parts is not None and endpoint_of(parts) in self.endpoints:
            found.setdefault(Use.POOLED, parts)
        return found

    @property
    def urls(self) -> list[ConnectionString]:
        """Give the addresses in it, wherever they lead."""
        found = [read(self.text.value(v.name)) for _, v in self.variables if v.use.is_url]
        return [url for url in found if url is not None]

    @property
    def open_names(self) -> frozenset[str]:
        """Give the names whose values may be shown."""
        hidden = (Use.POOLED, Use.DIRECT, Use.PASSWORD)
        return frozenset(v.name for _, v in self.variables if v.use not in hidden)

    @property
    def missing(self) -> tuple[tuple[App, Variable], ...]:
        """Give the variables that do not lead there yet."""
        if not self.there:
            return self.variables
        parts = self._from_parts()
        whole = parts is not None and endpoint_of(parts) in self.endpoints
        return tuple(each for each in self.variables if not self._leads(each[1], parts_lead=whole))

    @property
    def kept(self) -> frozenset[str]:
        """Give the names whose old value stays as a comment: somebody else's address."""
        if not self.there:
            return frozenset()
        return frozenset(v.name for _, v in self.missing if self._is_foreign(v))

    def _is_foreign(self, variable: Variable) -> bool:
        old = self.text.value(variable.name)
        url = read(old) if variable.use.is_url else self._from_parts()
        return bool(old) and not self.ours(endpoint_of(url))

    def written(self, reach: Reach) -> EnvText:
        """Give the text with the missing variables set."""
        values = {v.name: value(app, v, reach, self.text.value(v.name)) for app, v in reversed(self.missing)}
        ordered = {v.name: values[v.name] for _, v in self.missing}
        return self.text.with_values(ordered, keep_old=self.kept)

    def _leads(self, variable: Variable, *, parts_lead: bool) -> bool:
        if variable.use in self.stale:
            return False
        if variable.use.is_url:
            return endpoint_of(read(self.text.value(variable.name))) in self.endpoints
        return parts_lead and bool(self.text.value(variable.name))

    def _from_parts(self) -> ConnectionString | None:
        given = {v.use: self.text.value(v.name) for _, v in self.variables if not v.use.is_url}
        host, user, password = (given.get(use) for use in (Use.HOST, Use.USER, Use.PASSWORD))
        if not host or not password:
            return None
        port, database = given.get(Use.PORT), given.get(Use.DATABASE)
        made = ConnectionString(
            "postgresql",
            user.reveal() if user else None,
            password,
            host.reveal(),
            int(port.reveal()) if port and port.reveal().isdigit() else None,
            database.reveal() if database else None,
            (("sslmode", "require"),),
        )
        return read(made.render())


def wanted(app: App, *, usual_port: bool) -> tuple[Variable, ...]:
    """Give the variables that a program is to find: those it reads, and usual names where it reads none.

    Without a `usual_port` (5432) a program that reads a host and no port gets what libpq reads.
    """
    found = list(app.variables)
    if not any(v.use.is_url or v.use is Use.HOST for v in found):
        found.append(Variable(POOLED_NAME, Use.POOLED, "", 0))
    uses = {v.use for v in found}
    if not usual_port and Use.HOST in uses and Use.PORT not in uses and not app.forbids_others:
        found.append(Variable("PGPORT", Use.PORT, "", 0))
    if not app.forbids_others and not any(v.use is Use.DIRECT for v in found):
        found.append(Variable(DIRECT_NAME, Use.DIRECT, "", 0, scheme=_scheme_of(found)))
    return tuple(sorted(found, key=lambda v: [*Use].index(v.use)))


def _scheme_of(found: Iterable[Variable]) -> str:
    return next((v.scheme for v in found if v.use is Use.POOLED), "")


def planned(
    path: Path,
    apps: Iterable[App],
    endpoints: frozenset[str],
    examples: Iterable[Path],
    *,
    usual_port: bool,
    ours: Callable[[str | None], bool],
) -> EnvPlan:
    """Look at one file.

    Raises:
        ArgumentProblem: it is no plain file, or cannot be read.
    """
    pairs: dict[str, tuple[App, Variable]] = {}
    for app in apps:
        for variable in wanted(app, usual_port=usual_port):
            pairs.setdefault(variable.name, (app, variable))
    there = path.exists()
    example = None if there else next((each for each in examples if each.is_file()), None)
    known = path if there else example
    text = env_file.read(known) if known is not None else EnvText()
    if any(not v.use.is_url for _, v in pairs.values()):
        # libpq reads these from the environment, whether the code names them or not.
        for name in (each for each in LIBPQ if each in text.names and each not in pairs):
            use = use_of(name)
            app = next(iter(pairs.values()))[0]
            pairs |= {name: (app, Variable(name, use, "", 0))} if use else {}
    return EnvPlan(path, tuple(pairs.values()), endpoints, ours, example, text, there)


def is_read(app: App, variable: Variable) -> bool:
    """Tell whether the code reads a variable, or would if it read any: an example file names it then."""
    return bool(variable.path) or not app.variables


def without_values(names: Iterable[str]) -> dict[str, Secret]:
    """Give names for an example file."""
    return {name: Secret("") for name in names}


def examples_in(folder: Path) -> Iterator[Path]:
    """Give the example files of a folder, the usual name first."""
    for name in EXAMPLES:
        if (folder / name).is_file():
            yield folder / name
