"""What is in the folder before a set-up: its programs, its files of variables, and what it lacks."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Final

from neondba.connections import setup_env
from neondba.connections.setup_advice import advice
from neondba.connections.setup_env import EnvPlan
from neondba.connections.setup_stacks import Start
from neondba.connections.setup_starts import files_of, ignored_by_tools, settings_place
from neondba.connections.setup_texts import SETTINGS
from neondba.connections.setup_texts_node import DRIZZLE_CONFIG, PRISMA_CONFIG
from neondba.connections.setup_urls import endpoint_of, read
from neondba.core.context_file import places
from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.project import env_file
from neondba.project.facts import Facts
from neondba.project.python import PythonFiles
from neondba.project.settings_classes import SettingsClasses
from neondba.project.stack import App, Stack
from neondba.project.stack_variables import Use, inside
from neondba.project.tree import FolderTree, MemoryTree, Tree

_CODE: Final = (
    ".py", ".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".go", ".prisma", ".rb", ".php", ".java",
    ".rs", ".cs", ".kt", ".ex", ".sql", ".ipynb",
)  # fmt: skip
_MANIFEST: Final = re.compile(
    r"(?:^|/)(?:pyproject\.toml|package\.json|go\.mod|Pipfile|requirements[\w.-]*\.txt)$"
)


@dataclass
class Looked:
    """A folder as it is, and the files that it lacks."""

    root: Path
    apps: list[App]
    start: Start | None = None
    """What an empty folder begins as."""
    files: dict[str, str] = field(default_factory=dict)
    """Files to make, by path."""
    notes: list[str] = field(default_factory=list)
    ignores: tuple[str, ...] = ()
    """What git should pass by of a beginning's tools."""
    ours: Callable[[str | None], bool] = lambda _endpoint: False
    """Tells whether an endpoint is, or was, one of the project."""
    local: bool = False
    """True where the database is on the local Neon, at a port of its own."""

    @property
    def makes_tables(self) -> bool:
        """True where a program makes or migrates tables as the role that it runs as."""
        return any(app.makes_tables or (app.variables and not app.using(Use.DIRECT)) for app in self.apps)

    @property
    def shadow(self) -> bool:
        """True where Prisma makes a shadow database as the role that the program runs as."""
        return any(app.is_prisma and not app.using(Use.DIRECT) for app in self.apps)

    def env_plans(self, suffix: str, endpoints: frozenset[str], file: Path | None) -> list[EnvPlan]:
        """Give the files of variables of an environment."""
        by_path: dict[Path, list[App]] = {}
        for app in self.apps:
            by_path.setdefault(self._env_path(app, suffix, file), []).append(app)
        return [
            setup_env.planned(
                path,
                apps,
                endpoints,
                setup_env.examples_in(path.parent) if not suffix else (),
                usual_port=not self.local,
                ours=self.ours,
            )
            for path, apps in by_path.items()
        ]

    def _env_path(self, app: App, suffix: str, file: Path | None) -> Path:
        if file is not None:
            return self.root / f"{file}{suffix}"
        folder = self.root / app.env_folder
        names = {v.name for v in setup_env.wanted(app, usual_port=not self.local)}
        local = folder / ".env.local"
        if not suffix and local.is_file() and names & {*env_file.read(local).names}:
            return local
        return folder / f".env{suffix}"

    def known_endpoints(self, file: Path | None) -> frozenset[str]:
        """Give the computes that the files of variables lead to."""
        found = set()
        for plan in self.env_plans("", frozenset(), file) if self.apps else ():
            for _, variable in plan.variables if plan.there else ():
                url = read(plan.text.value(variable.name))
                found |= {each for each in [endpoint_of(url)] if each}
        return frozenset(found)


def look(root: Path, start: Start | None, app: str | None) -> Looked:
    """Read the folder.

    Raises:
        ArgumentProblem: a manifest or the settings cannot be read; or a stack is named where code is.
        NotFoundProblem: there is no such program.
    """
    if next(places(root.resolve()), None) is None:
        raise ArgumentProblem(
            "folder-too-wide",
            f"{root} holds more than one project's files.",
            hint="Change to the project's folder first; for a new one: mkdir app && cd app",
        )
    if app is not None and not (root / app).is_dir():
        raise NotFoundProblem(
            "app-not-found", f"There is no folder {app} here.", hint="Name one of a program."
        )
    tree = FolderTree(root)
    code = [path for path in tree.paths if path.endswith(_CODE) or _MANIFEST.search(path)]
    if not code:
        return _begun(root, tree, start or "plain")
    if start is not None and not set(files_of(start)) <= set(tree.paths):
        raise ArgumentProblem(
            "folder-not-empty",
            f"--stack {start} is for an empty folder; here is {code[0]}"
            + (f" and {len(code) - 1} more files of code." if len(code) > 1 else "."),
            hint="Leave --stack out: neondba setup reads the code and says what it found.",
        )
    facts = Facts(tree)
    stack = facts.get(Stack)
    _refuse_unreadable(tree, facts)
    found = Looked(root, _chosen(stack, app), start)
    for each in found.apps:
        found.files |= _lacking(each, facts, found.notes)
        found.notes += advice(each, tree)
    found.notes += _others(stack, found.apps)
    return found


def _begun(root: Path, tree: Tree, start: Start) -> Looked:
    """Take the files of a beginning for the folder's own: what reads which variable follows from them."""
    files = files_of(start)
    texts = {path: tree.text(path) or "" for path in tree.paths}
    apps = Facts(MemoryTree({**texts, **files})).get(Stack).using
    made = {path: text for path, text in files.items() if path not in texts}
    ignores = () if ".gitignore" in texts else ignored_by_tools(start)
    return Looked(root, apps, start, made, ignores=ignores)


def _chosen(stack: Stack, wanted: str | None) -> list[App]:
    if wanted is None:
        return stack.using
    place = wanted.strip("/").removeprefix("./")
    found = [app for app in stack.apps if app.folder == ("" if place == "." else place)]
    if not found:
        there = ", ".join(app.folder or "." for app in stack.apps)
        raise NotFoundProblem(
            "app-not-found", f"There is no program in {wanted}.", hint=f"There are programs in: {there}."
        )
    return found


def _refuse_unreadable(tree: Tree, facts: Facts) -> None:
    for path in tree.named("package.json"):
        try:
            json.loads(tree.text(path) or "{}")
        except ValueError as error:
            raise _unreadable(path, getattr(error, "lineno", 1), str(error)) from None
    python = facts.get(PythonFiles)
    for file in python.containing("BaseSettings", "DATABASES", "environ", "getenv"):
        if re.search(r"(?:settings|config|database|db)\w*\.py$|/settings/", file.path):
            for line, reason in file.faults():
                raise _unreadable(file.path, line, reason)


def _unreadable(path: str, line: int, why: str) -> ArgumentProblem:
    return ArgumentProblem(
        "settings-unreadable",
        f"{path}:{line} cannot be read, so it is not known what the program reads: {why}.",
        hint="Correct it, then run neondba setup again. Nothing was changed.",
        path=path,
        line=line,
    )


def _lacking(app: App, facts: Facts, notes: list[str]) -> dict[str, str]:
    """Give the configuration that a program has nothing of."""
    paths = frozenset(facts.tree.paths)
    prefix = f"{app.folder}/" if app.folder else ""
    made: dict[str, str] = {}
    if app.language == "python" and not app.has("django") and not app.variables:
        if any(inside(s.path, app.folder) for s in facts.get(SettingsClasses).all):
            notes.append(
                f"The settings class of {app.folder or 'this program'} has no field for the database yet. "
                "Add: database_url: SecretStr"
            )
        elif place := settings_place(app, paths):
            made[place] = SETTINGS
            if not app.has("pydantic-settings"):
                notes.append(f"{place} needs a package: pip install pydantic-settings")
    elif not app.variables:
        notes.append(_silent(app))
    has_config = any(re.fullmatch(rf"{re.escape(prefix)}prisma\.config\.[cm]?[jt]s", p) for p in paths)
    if app.is_prisma and (app.prisma_major or 0) >= 7 and not has_config:
        made[f"{prefix}prisma.config.ts"] = PRISMA_CONFIG
        if not app.has("dotenv"):
            notes.append("prisma.config.ts needs a package: npm install dotenv")
    drizzle = any(re.match(rf"{re.escape(prefix)}drizzle[\w.-]*\.config\.[cm]?[jt]s", p) for p in paths)
    drizzle = drizzle or any(re.match(rf"{re.escape(prefix)}drizzle\.config", p) for p in paths)
    if app.has("drizzle-kit") and not drizzle:
        made[f"{prefix}drizzle.config.ts"] = DRIZZLE_CONFIG
    return made


def _silent(app: App) -> str:
    where = app.folder or "this folder"
    if app.has("django"):
        return (
            "The settings of Django read no variable for the database yet. In settings.py: "
            'DATABASES = {"default": dj_database_url.config(conn_max_age=60, conn_health_checks=True)}, with '
            "pip install dj-database-url"
        )
    return f"Nothing in {where} reads a database's address yet; DATABASE_URL is there for it."


def _others(stack: Stack, chosen: list[App]) -> Iterator[str]:
    more = [
        a.folder or "this folder itself"
        for a in stack.apps
        if a not in chosen and a.speaks_to_a_database and a.evidence
    ]
    if more:
        yield (
            f"Left alone, for it reads no address: {', '.join(more)}. To set it up as well: "
            f"neondba setup --app {'.' if more[0].startswith('this ') else quote(more[0])}"
        )
