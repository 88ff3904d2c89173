"""Check that the environments of a project are apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from neondba.connections import environments_ci, environments_compare, environments_fallback
from neondba.connections.environments_files import Held, env_files, held
from neondba.connections.environments_results import EnvironmentLine, EnvironmentsCheck, IsolationFault
from neondba.connections.environments_where import Where, where
from neondba.connections.explain_results import Place
from neondba.core.context import Context
from neondba.project.addresses import Addresses
from neondba.project.environment import EnvFile
from neondba.project.facts import Facts
from neondba.project.tree import FolderTree, Tree

LOOKED_AT = (
    "one branch, role or password in two environments",
    "a production database in files of development, tests and previews",
    "previews that fall back to another database, in code, pipelines and files",
    "pipelines that reach production",
    "files with passwords that git tracks",
)


def check(ctx: Context, folder: Path) -> EnvironmentsCheck:
    """Read the files, ask the API where it can be asked, and compare."""
    files = env_files(folder)
    strings = held(files)
    known = where(ctx, strings)
    tree = FolderTree(folder)
    addresses = Facts(tree).get(Addresses)
    found = [
        *environments_compare.faults(strings, known),
        *environments_fallback.faults(tree, files, strings),
        *environments_ci.faults(tree, addresses),
        *_tracked(tree, strings),
    ]
    lines = tuple(_line(name, strings, known) for name in dict.fromkeys(each.environment for each in strings))
    return EnvironmentsCheck(
        said=_said(lines, found),
        environments=lines,
        faults=tuple(found),
        looked_at=LOOKED_AT,
        not_checked=tuple(_not_checked(files, strings, known)),
    )


def _line(name: str, strings: Sequence[Held], known: Where) -> EnvironmentLine:
    mine = [each for each in strings if each.environment == name]
    return EnvironmentLine(
        name=name,
        files=tuple(dict.fromkeys(each.path for each in mine)),
        goes_to=tuple(dict.fromkeys(each.place for each in mine)),
        branches=tuple(dict.fromkeys(filter(None, (known.branch_name(each) for each in mine)))),
        roles=tuple(dict.fromkeys(each.address.role for each in mine if each.address.role)),
    )


def _said(lines: Sequence[EnvironmentLine], found: Sequence[IsolationFault]) -> str:
    if not lines and not found:
        return "No file here holds a connection string: there is nothing to compare."
    names = ", ".join(line.name for line in lines) or "no environment"
    if found:
        ways = "way" if len(found) == 1 else "ways"
        return f"{len(found)} {ways} in which environments are not apart ({names})."
    if len(lines) == 1:
        return f"One environment only ({names}): nothing to be apart from."
    return f"The environments are apart: {names}."


def _tracked(tree: Tree, strings: Sequence[Held]) -> Iterator[IsolationFault]:
    tracked = tree.tracked or frozenset()
    for path in dict.fromkeys(
        each.path for each in strings if each.path in tracked and each.address.password
    ):
        first = next(each for each in strings if each.path == path)
        if not first.is_neon:
            continue
        yield IsolationFault(
            id="env-file-tracked",
            said=f"git tracks {path}, which holds the password of {first.environment}.",
            why="Everybody with the repository, and its history, can log in there.",
            evidence="shown",
            places=(Place(path=path, line=first.line, why=first.variable),),
            steps=(
                f"git rm --cached {path}, and name it in .gitignore.",
                f"Rotate what was in it: neondba role rotate {first.address.role or 'ROLE'}",
            ),
        )


def _not_checked(files: Sequence[EnvFile], strings: Sequence[Held], known: Where) -> Iterator[str]:
    yield "what secrets of GitHub, Vercel and other platforms hold: their values cannot be read"
    if known.trouble:
        yield f"branches of the endpoints: {known.trouble}"
    elif any(each.is_neon for each in strings) and not known.asked:
        yield "which branches the endpoints serve: set NEON_API_KEY to have Neon asked"
    elif any(each.is_neon and not known.branch_name(each) for each in strings):
        yield "endpoints that this key does not know: they are compared by their names"
    without = [f.path for f in files if not f.is_example and not any(each.path == f.path for each in strings)]
    if without:
        yield f"files without a connection string that can be read: {', '.join(without[:5])}"
