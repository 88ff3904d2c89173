"""Where the addresses of a preview go: into a file that only its owner reads, or to GitHub, masked.

They never reach standard output: a log keeps it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from neondba.branches.values import ALWAYS, DIRECT, KNOWN, POOLED, Address, Leads, leads, value_of
from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret


@dataclass(frozen=True)
class Outlet:
    """The places that are to be written to."""

    file: Path | None = None
    environment: Path | None = None
    """GitHub's file of variables for the steps that follow."""
    others: tuple[str, ...] = ()
    """Further variables of the workflow that name a database."""
    outputs: Path | None = None
    """GitHub's file of outputs: it gets names, never addresses."""

    def steps(self) -> list[str]:
        """Say what will be written."""
        names = " and ".join(ALWAYS)
        handed = " and ".join((*ALWAYS, *self.others))
        said = [f"Write {names} into {self.file}, which only you may read."] if self.file else []
        return said + ([f"Hand {handed} to the steps that follow, masked."] if self.environment else [])

    def written(self) -> tuple[str, ...]:
        """Name the places that hold the addresses."""
        return tuple(
            name for name, there in ((str(self.file), self.file), ("GITHUB_ENV", self.environment)) if there
        )

    def advice(self) -> tuple[str, ...]:
        """Say what is still to be done about the file."""
        from neondba.project.git import git, run

        if self.file is None or git(self.file.parent, "rev-parse", "--is-inside-work-tree") is None:
            return ()
        ignored = run(self.file.parent, "check-ignore", "--quiet", "--", self.file.name)[0] is not None
        return () if ignored else (f"Add {self.file.name} to .gitignore: it holds a password.",)

    def write(
        self,
        address: Address,
        endpoints: Collection[str],
        outputs: Mapping[str, str],
        chance: random.Random,
    ) -> None:
        """Put the addresses in place; `endpoints` are those of the whole project.

        Other variables there that name a database lead to the preview too: one that is left over would
        lead a migration to the parent.

        Raises:
            ArgumentProblem: a file cannot be written.
        """
        if self.file is not None:
            _into_file(self.file, address, endpoints)
        if self.environment is not None:
            values = {name: value_of(name, address, None, endpoints) for name in (*ALWAYS, *self.others)}
            _mask(values)
            shown = {name: value.reveal() for name, value in values.items()}
            _append(self.environment, {**shown, "NEON_BRANCH": address.branch}, chance)
        if self.outputs is not None:
            _append(self.outputs, outputs, chance)


def outlet(folder: Path, file: Path | None, *, github: bool, environment: Mapping[str, str]) -> Outlet:
    """Check the places before a branch is made for them.

    Raises:
        ArgumentProblem: a file is in git or cannot be used, or this is no step of a GitHub workflow.
    """
    path = _file(folder, file) if file is not None else None
    if not github:
        return Outlet(path)
    if environment.get("GITHUB_ACTIONS") != "true" or not environment.get("GITHUB_ENV"):
        raise ArgumentProblem(
            "not-on-github",
            "--github hands the addresses to a workflow of GitHub, and this is none.",
            hint="Write them into a file: --env-file .env.preview",
        )
    outputs = environment.get("GITHUB_OUTPUT")
    others = tuple(name for name in (*POOLED, *DIRECT) if name in environment and name not in ALWAYS)
    return Outlet(path, Path(environment["GITHUB_ENV"]), others, Path(outputs) if outputs else None)


def _file(folder: Path, file: Path) -> Path:
    from neondba.project import env_file
    from neondba.project.git import git

    path = folder / file
    if not path.parent.is_dir():
        raise ArgumentProblem(
            "folder-not-found", f"There is no folder {path.parent} to put {path.name} into."
        )
    if git(path.parent, "ls-files", "--error-unmatch", "--", path.name) is not None:
        raise ArgumentProblem(
            "env-file-in-git",
            f"{path.name} is in git; passwords in it would be committed.",
            hint=f"Name another file, or take it out first: git rm --cached {path.name}, and add it to "
            ".gitignore.",
        )
    env_file.read(path)
    return path


def _into_file(path: Path, address: Address, endpoints: Collection[str]) -> None:
    from neondba.project import env_file

    text = env_file.read(path)
    there = [name for name in text.names if name in KNOWN]
    # On the local Neon the endpoint is named there.
    there += ["PGOPTIONS"] if "PGHOST" in there and "PGOPTIONS" not in there else []
    values = {
        name: value_of(name, address, text.value(name), endpoints)
        for name in dict.fromkeys((*there, *ALWAYS))
    }
    strange = [
        name
        for name in there
        if name in (*POOLED, *DIRECT) and leads(text.value(name), endpoints) is Leads.ELSEWHERE
    ]
    env_file.write(path, text.with_values(values, keep_old=frozenset(strange)))


def _mask(values: Mapping[str, Secret]) -> None:
    """Tell GitHub what to hide, before anything can show it.

    It listens on standard error too, which survives where standard output is redirected.
    """
    from neondba.neon.connection_string import parse

    for value in values.values():
        password = parse(value).password
        for secret in (value, password):
            if secret is not None and secret.reveal():
                text = secret.reveal().replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
                sys.stderr.write(f"::add-mask::{text}\n")
    sys.stderr.flush()


def _append(path: Path, values: Mapping[str, str], chance: random.Random) -> None:
    # A mark that no value can know: else a branch name could bring variables of its own.
    mark = f"neondba_{chance.getrandbits(128):032x}"
    text = "".join(f"{name}<<{mark}\n{value}\n{mark}\n" for name, value in values.items())
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ArgumentProblem(
            "github-file-not-writable", f"GitHub's file {path} cannot be written: {error.strerror}."
        ) from None
