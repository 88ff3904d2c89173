"""What `setup` answers with: names, hosts and lines; never a password."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel

_SEEN: Final = {True: "ok", False: "FAILS", None: "not checked"}
SHOWN: Final = 9
"""Lines of a new file that are shown; a longer one is there to be read."""
Action = Literal["made", "changed", "as it was"]


class FileLine(BaseModel):
    """One file, and what became of it."""

    path: str
    action: Action
    added: tuple[str, ...] = ()
    """Lines that are new in it, passwords masked."""
    removed: tuple[str, ...] = ()
    """Lines that are no longer in it, passwords masked."""


class Verified(BaseModel):
    """One connection that was tried."""

    environment: str
    path: Literal["pooled", "direct"]
    driver: str
    ok: bool | None
    """Nothing where it was not tried; `said` tells why."""
    said: str
    """What was seen, or why it did not work."""


class AppLine(BaseModel):
    """One program, and how it finds its database."""

    folder: str
    built_with: str
    evidence: tuple[str, ...]
    """`file:line name version`."""
    reads: tuple[str, ...]
    """`NAME (file:line)`."""


class Environment(BaseModel):
    """An environment: a branch and a role of its own."""

    name: str
    branch: str
    role: str | None = None
    """The role that the program logs in as; nothing where no file was written for it."""
    direct_role: str | None = None
    file: str | None = None


class SetUp(BaseModel):
    """What is set up, what was written, and what was seen."""

    project: str
    project_id: str
    platform: Literal["Neon", "local Neon"]
    created: tuple[str, ...]
    """What did not exist before: project, branches, roles."""
    apps: tuple[AppLine, ...]
    environments: tuple[Environment, ...]
    files: tuple[FileLine, ...]
    verified: tuple[Verified, ...]
    notes: tuple[str, ...] = ()
    next: tuple[str, ...] = ()

    @property
    def failed(self) -> int:
        """Count the connections that did not work."""
        return sum(each.ok is False for each in self.verified)

    @property
    def changed(self) -> bool:
        """True when anything was made or written."""
        return bool(self.created) or any(each.action != "as it was" for each in self.files)

    def as_text(self, width: int) -> str:  # noqa: ARG002 - lines are short, or to be copied
        """Show it for a person: what was found, made, written and seen."""
        lines = [self._head(), ""]
        for app in self.apps:
            lines.append(f"Found    {app.folder or '.'}: {app.built_with}")
            lines += [f"         {each}" for each in app.evidence[:4]]
            lines += [f"         reads {', '.join(app.reads)}"] if app.reads else []
        lines += [""] if self.apps else []
        for environment in self.environments:
            who = f", role {environment.role}" if environment.role else ""
            where = f" → {environment.file}" if environment.file else ""
            lines.append(f"{environment.name:<12} branch {environment.branch}{who}{where}")
        lines += ["", *self._written(), "", *self._seen()]
        for note in self.notes:
            lines += ["", f"Note: {note}"]
        if self.next:
            lines += ["", "Next:", *[f"  {each}" for each in self.next]]
        return "\n".join(lines)

    def _head(self) -> str:
        where = f"Project {self.project} on {'the local Neon' if self.platform == 'local Neon' else 'Neon'}"
        if not self.changed:
            return f"{where} is set up already; nothing was changed."
        made = f" New: {', '.join(self.created)}." if self.created else ""
        return f"{where} is set up.{made}"

    def _written(self) -> list[str]:
        lines = []
        for file in self.files:
            lines.append(f"{file.action:<11} {file.path}")
            if file.action == "made" and len(file.added) > SHOWN:
                lines[-1] += f"  ({len(file.added)} lines)"
                continue
            lines += [f"  - {line}" for line in file.removed]
            lines += [f"  + {line}" for line in file.added]
        return lines or ["No file was written."]

    def _seen(self) -> list[str]:
        return [
            f"{_SEEN[each.ok]:<11} {each.environment}, {each.path}, {each.driver}: {each.said}"
            for each in self.verified
        ]
