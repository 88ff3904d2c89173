"""Who uses a credential: files, CI, code and open sessions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from neondba.access.role_results import Consumer
from neondba.access.rotate_files import Holding

if TYPE_CHECKING:
    from neondba.access.role_place import Place
    from neondba.core.secret import Secret
    from neondba.postgres.connect import Connection
    from neondba.project.tree import Tree

_SECRET: Final = re.compile(r"\bsecrets\.([A-Za-z_][A-Za-z0-9_]*)")
_OF_A_DATABASE: Final = re.compile(r"(?i)DATABASE|POSTGRES|(?:^|_)(?:PG|DB|DSN)|NEON.*URL|DIRECT_URL")
_CI: Final = re.compile(
    r"(?:^|/)(?:\.github/(?:workflows|actions)/.*\.ya?ml|\.gitlab-ci\.ya?ml|bitbucket-pipelines\.yml)$"
)
_GITLAB: Final = re.compile(r"\$\{?([A-Z][A-Z0-9_]*)\}?")
_COMPOSE: Final = re.compile(r"(?:^|/)(?:docker-)?compose[^/]*\.ya?ml$")


def in_project(folder: Path, held: Collection[Holding], passwords: Collection[Secret]) -> list[Consumer]:
    """Find who uses a credential, beside the files that are switched."""
    from neondba.project.tree import FolderTree

    tree = FolderTree(folder)
    files = {str(each.path.relative_to(folder)) for each in held if each.path.is_relative_to(folder)}
    variables = {name for each in held for name in each.names}
    return [
        *_texts(tree, passwords, files),
        *_secrets(tree, variables),
        *_compose(tree, files, variables),
        *_code(tree, variables),
    ]


def sessions(session: Connection, roles: tuple[str, ...]) -> list[Consumer]:
    """Give the open sessions of some roles by program and address."""
    from neondba.postgres.connect import ask

    return [
        Consumer(
            kind="sessions",
            where=f"{row['application']} at {row['address']}",
            said=f"{row['sessions']} as {row['role']}, {row['busy']} busy",
        )
        for row in ask(session, "twin_sessions", list(roles))
    ]


def copies(place: Place) -> list[Consumer]:
    """Give the branches that were made of this one: their roles are copies with passwords of their own."""
    return [
        Consumer(
            kind="branch",
            where=f"branch {each.name}",
            said=f"was made of {place.branch.name} before: the old credential may still open it",
        )
        for each in place.client.branches(place.project.id)
        if each.parent_id == place.branch.id and not place.branch.protected
    ]


def _texts(tree: Tree, passwords: Collection[Secret], files: Collection[str]) -> Iterator[Consumer]:
    wanted = {form for each in passwords for form in (each.reveal(), quote(each.reveal(), safe=""))}
    for path in tree.paths:
        if path in files or not wanted:
            continue
        text = tree.text(path) or ""
        lines = [n for n, line in enumerate(text.splitlines(), 1) if any(each in line for each in wanted)]
        if lines:
            yield Consumer(
                kind="text",
                where=f"{path}:{lines[0]}",
                said="holds the old password in its text; read it from the environment instead",
                by_hand=True,
            )


def _secrets(tree: Tree, variables: Collection[str]) -> Iterator[Consumer]:
    for path in tree.paths:
        if not _CI.search(path):
            continue
        text = tree.text(path) or ""
        found = _SECRET.findall(text) + (_GITLAB.findall(text) if "gitlab" in path else [])
        for name in sorted(set(found)):
            if name in variables or _OF_A_DATABASE.search(name):
                yield Consumer(
                    kind="secret",
                    where=path,
                    said=f"secret {name} may hold the old credential; its value cannot be read",
                    by_hand=True,
                )


def _compose(tree: Tree, files: Collection[str], variables: Collection[str]) -> Iterator[Consumer]:
    for path in tree.paths:
        if not _COMPOSE.search(path):
            continue
        text = tree.text(path) or ""
        named = [name for name in sorted(variables) if re.search(rf"\$\{{?{re.escape(name)}\b", text)]
        named += [
            file for file in sorted(files) if re.search(rf"(?m)env_file:[^#]*{re.escape(file)}\b", text)
        ]
        if named:
            yield Consumer(
                kind="code", where=path, said=f"its services take {', '.join(named)} when they start"
            )


def _code(tree: Tree, variables: Collection[str]) -> Iterator[Consumer]:
    from neondba.project.environment import Environment
    from neondba.project.facts import Facts

    if not variables:
        return
    places: dict[str, list[str]] = {}
    for read in Facts(tree).get(Environment).reads:
        if read.name in variables:
            places.setdefault(read.path, []).append(read.name)
    for path, names in sorted(places.items()):
        yield Consumer(kind="code", where=path, said=f"reads {', '.join(sorted(set(names)))}")
