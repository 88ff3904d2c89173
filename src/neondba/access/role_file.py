"""The file that gets a role's credential."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, ConflictProblem
from neondba.core.secret import Secret
from neondba.project import env_file, git

if TYPE_CHECKING:
    from neondba.access.role_place import Place
    from neondba.neon.connection_string import ConnectionString

USUAL: Final = "DATABASE_URL"
_DIRECT: Final = re.compile(r"UNPOOLED|DIRECT|NON_POOLING|MIGRAT")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Outlet:
    """A variable in a file."""

    path: Path
    variable: str
    pooled: bool

    def held(self) -> ConnectionString | None:
        """Give the connection string that is there, if it is one."""
        return _parsed(env_file.read(self.path).value(self.variable))

    def leads_elsewhere(self, endpoints: frozenset[str]) -> bool:
        """Tell whether something is there that is no address of these endpoints."""
        value, before = env_file.read(self.path).value(self.variable), self.held()
        return bool(value) and (before is None or before.endpoint_id not in endpoints)

    def write(self, url: ConnectionString, endpoints: frozenset[str]) -> None:
        """Put a connection string there, in the form of the driver; what leads elsewhere stays as a comment.

        Raises:
            ArgumentProblem: the file cannot be written.
        """
        before = self.held()
        driver = before.scheme.partition("+")[2] if before else ""
        shaped = url.with_driver(driver or None)
        if before is not None and not driver:
            shaped = replace(shaped, scheme=before.scheme)
        kept = frozenset({self.variable} if self.leads_elsewhere(endpoints) else ())
        text = env_file.read(self.path).with_values({self.variable: shaped.render()}, keep_old=kept)
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        env_file.write(self.path, text)


def outlet(
    ctx: Context, place: Place, role: str, variable: str | None, file: Path | None, direct: bool
) -> Outlet:
    """Say where the credential goes: the user's variable, else a file in the state folder.

    Raises:
        ArgumentProblem: the variable's name is none.
        ConflictProblem: git tracks the file.
    """
    if variable is None:
        if file is not None:
            raise ArgumentProblem(
                "variable-needed", "A file was named, but no variable.", hint=f"Add --write-env {USUAL}."
            )
        return Outlet(kept(ctx, place, role), USUAL, pooled=not direct)
    if not _NAME.fullmatch(variable):
        raise ArgumentProblem(
            "not-a-variable",
            f"{variable[:40]} is no name of a variable.",
            hint=f"Give a name such as {USUAL}; the value is made here.",
        )
    path = ctx.folder / (file or ".env")
    refuse_tracked(ctx.folder, path)
    env_file.read(path)
    return Outlet(path, variable, pooled=not direct and not _DIRECT.search(variable.upper()))


def kept(ctx: Context, place: Place, role: str) -> Path:
    """Give the file of the state folder that holds a role's credential."""
    return ctx.settings.state_dir / "roles" / place.project.id / place.branch.id / f"{_safe(role)}.env"


def offered(folder: Path, path: Path) -> bool:
    """Tell whether git is there and would offer the file for a commit."""
    if not path.is_relative_to(folder) or git.git(folder, "rev-parse", "--is-inside-work-tree") is None:
        return False
    return git.git(folder, "check-ignore", "-q", "--", str(path)) is None


def hide(folder: Path, path: Path) -> None:
    """Have git pass a file by.

    Raises:
        ArgumentProblem: `.gitignore` cannot be written.
    """
    from neondba.core.whole_file import put

    ignore = folder / ".gitignore"
    old = ignore.read_bytes() if ignore.exists() else b""
    gap = b"\n" if old and not old.endswith(b"\n") else b""
    put(ignore, old + gap + path.relative_to(folder).as_posix().encode() + b"\n")


def refuse_tracked(folder: Path, path: Path) -> None:
    """Refuse a file that git would take along.

    Raises:
        ConflictProblem: git tracks it.
    """
    if (
        git.git(
            path.parent if path.parent.is_dir() else folder, "ls-files", "--error-unmatch", "--", str(path)
        )
        is None
    ):
        return
    raise ConflictProblem(
        "env-file-tracked",
        f"git tracks {path.name}: a password in it would be committed.",
        hint=f"Take it out: git rm --cached {path.name}, and add it to .gitignore. Or use another file: "
        "--file .env.local",
    )


def _parsed(value: Secret | None) -> ConnectionString | None:
    from neondba.neon.connection_string import parse

    try:
        return parse(value) if value else None
    except ArgumentProblem:
        return None


def _safe(role: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", role)
