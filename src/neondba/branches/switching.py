"""Point a project's environment files at a branch: what is to be written is known before it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from neondba.branches.logins import Line, Login
from neondba.branches.values import ALWAYS, DIRECT, KNOWN, POOLED, Address, Leads, leads, read, value_of
from neondba.core.context_file import NAME, ContextFile, nearest, places
from neondba.core.context_file import read as read_context
from neondba.core.problem import ConflictProblem
from neondba.core.secret import Secret
from neondba.project import env_file, git
from neondba.project.env_file import EnvText

FILES: Final = (".env", ".env.local")
MARKS: Final = (NAME, *FILES, "pyproject.toml", "package.json", "go.mod", "requirements.txt", ".git")


@dataclass(frozen=True)
class FileSwitch:
    """One file and the variables in it that are to lead to the branch."""

    path: Path
    text: EnvText
    names: tuple[str, ...]
    kept: frozenset[str]
    """Names whose old value leads elsewhere: it stays as a comment."""
    new: bool


@dataclass(frozen=True)
class Switch:
    """Everything that is to be written."""

    folder: Path
    files: tuple[FileSwitch, ...]
    context: ContextFile
    ignored: tuple[str, ...]
    """Names to add to `.gitignore`."""
    endpoints: frozenset[str]
    """Ids of the project's endpoints."""

    def shown(self, path: Path) -> str:
        """Give a path as the user sees it."""
        return path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else str(path)

    def steps(self, branch: str, usual: Login, lines: Mapping[Line, Login]) -> list[str]:
        """Say what will be written."""
        said = []
        for file in self.files:
            names = ", ".join(file.names)
            verb = "Make" if file.new else "In"
            tail = f" with {names}" if file.new else f", point {names}"
            aim = f"leading to {branch}" if file.new else f"at {branch}"
            others = "".join(
                f" ({name}: {lines[file.path, name].role})"
                for name in file.names
                if name in (*POOLED, *DIRECT) and lines.get((file.path, name), usual).role != usual.role
            )
            who = f"role {usual.role}{others}, database {usual.database}"
            said.append(f"{verb} {self.shown(file.path)}{tail} {aim}: {who}.")
            said += [
                f"Keep the old {name} there as a comment: it leads to {_host(file.text.value(name))}."
                for name in sorted(file.kept)
            ]
        if self.ignored:
            said.append(f"Add {' and '.join(self.ignored)} to .gitignore.")
        said.append(f"Note {branch} as the current branch in {self.shown(self.context.path)}.")
        return said

    def write(
        self,
        address: Address,
        lines: Mapping[Line, Address],
        organization: str | None,
        git_branch: str | None,
    ) -> None:
        """Write everything: first what keeps git from taking the passwords along.

        The files are read once more: while a branch was made, somebody may have edited them.
        """
        noted = read_context(self.context.path).at(address.project_id, organization, address.branch)
        if git_branch is not None:
            noted = noted.following(git_branch, address.branch)
        if self.ignored:
            _ignore(self.folder / ".gitignore", self.ignored)
        for file in self.files:
            text = env_file.read(file.path)
            values: dict[str, Secret] = {
                name: value_of(name, lines.get((file.path, name), address), text.value(name), self.endpoints)
                for name in file.names
            }
            env_file.write(file.path, text.with_values(values, keep_old=file.kept))
        noted.write()


def project_folder(folder: Path) -> Path | None:
    """Give the folder of the project that one stands in; none where nothing speaks of one."""
    found = (place for place in places(folder) if any(os.path.lexists(place / mark) for mark in MARKS))
    return next(found, None)


def prepared(
    folder: Path, endpoints: Collection[str], *, project_id: str, only: Path | None = None
) -> Switch:
    """Look at the files and say what a switch would write; `only` names the one file to use.

    Raises:
        ConflictProblem: git tracks a file that would get a password.
        ArgumentProblem: a file cannot be read.
    """
    names = [only] if only else [folder / name for name in FILES]
    there = [(path, env_file.read(path)) for path in names]
    used = [(path, text) for path, text in there if any(name in KNOWN for name in text.names)]
    if not used:
        used = [next(((path, text) for path, text in there if path.exists()), there[0])]
    context = nearest(folder) or read_context(folder / NAME)
    # Where the folder is this project's, an endpoint that is gone was a branch of it: nothing is lost.
    strangers = {Leads.ELSEWHERE} if context.project == project_id else {Leads.ELSEWHERE, Leads.UNKNOWN}
    files = tuple(_file(path, text, endpoints, strangers) for path, text in used)
    if not any(set(file.names) & {*POOLED} for file in files):
        files = (replace(files[0], names=(*files[0].names, *ALWAYS)), *files[1:])
    _refuse_tracked(folder, files)
    fresh = [file.path for file in files] + ([] if context.path.exists() else [context.path])
    ignored = tuple(path.name for path in fresh if _may_be_committed(folder, path))
    return Switch(folder, files, context, ignored, frozenset(endpoints))


def _file(path: Path, text: EnvText, endpoints: Collection[str], strangers: set[Leads]) -> FileSwitch:
    names = [name for name in text.names if name in KNOWN]
    if "PGHOST" in names and "PGOPTIONS" not in names:
        names.append("PGOPTIONS")  # On the local Neon the endpoint is named there.
    foreign = {
        name
        for name in names
        if name in (*POOLED, *DIRECT) and leads(text.value(name), endpoints) in strangers
    }
    return FileSwitch(path, text, tuple(names), frozenset(foreign), not path.exists())


def first_url(switch: Switch, which: Callable[[Leads], bool]) -> Secret | None:
    """Give the first connection string in the files that leads where it should."""
    for file in switch.files:
        for name in (*POOLED, *DIRECT):
            value = file.text.value(name)
            if value is not None and which(leads(value, switch.endpoints)):
                return value
    return None


def _host(value: Secret | None) -> str:
    found = read(value)
    return found.host if found else "nowhere"


def _refuse_tracked(folder: Path, files: tuple[FileSwitch, ...]) -> None:
    for file in files:
        if git.git(folder, "ls-files", "--error-unmatch", "--", str(file.path)) is not None:
            name = file.path.name
            raise ConflictProblem(
                "env-file-tracked",
                f"git tracks {name}: a password in it would be committed.",
                hint=f"Take it out: git rm --cached {name}, and add it to .gitignore. Or use another file: "
                "--file .env.local",
            )


def _may_be_committed(folder: Path, path: Path) -> bool:
    """Tell whether git is there and would offer the file for a commit."""
    if not path.is_relative_to(folder) or git.git(folder, "rev-parse", "--is-inside-work-tree") is None:
        return False
    return git.git(folder, "check-ignore", "-q", "--", str(path)) is None


def _ignore(path: Path, names: tuple[str, ...]) -> None:
    from neondba.core.whole_file import put

    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    gap = "\n" if text and not text.endswith("\n") else ""
    put(path, (text + gap + "".join(f"{name}\n" for name in names)).encode("utf-8", "surrogateescape"))
