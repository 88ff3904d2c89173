"""Where the addresses of a preview go: into a file that only its owner reads, or to GitHub, masked.

They never reach standard output: a log keeps it.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret

if TYPE_CHECKING:
    from neondba.neon.throwaway import Throwaway

VARIABLES = ("DATABASE_URL", "DATABASE_URL_UNPOOLED")


@dataclass(frozen=True)
class Outlet:
    """The places that are to be written to."""

    file: Path | None = None
    environment: Path | None = None
    """GitHub's file of variables for the steps that follow."""
    outputs: Path | None = None
    """GitHub's file of outputs: it gets names, never addresses."""

    def steps(self) -> list[str]:
        """Say what will be written."""
        names = " and ".join(VARIABLES)
        said = [f"Write {names} into {self.file}, which only you may read."] if self.file else []
        return said + ([f"Hand {names} to the steps that follow, masked."] if self.environment else [])

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

    def write(self, branch: Throwaway, outputs: Mapping[str, str], chance: random.Random) -> None:
        """Put the addresses in place.

        Raises:
            ArgumentProblem: a file cannot be written.
        """
        values = {VARIABLES[0]: branch.pooled, VARIABLES[1]: branch.direct}
        if self.file is not None:
            from neondba.project import env_file

            env_file.write(self.file, env_file.read(self.file).with_values(values))
        if self.environment is not None:
            _mask(values)
            shown = {name: value.reveal() for name, value in values.items()}
            _append(self.environment, {**shown, "NEON_BRANCH": branch.branch_name}, chance)
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
    return Outlet(path, Path(environment["GITHUB_ENV"]), Path(outputs) if outputs else None)


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
