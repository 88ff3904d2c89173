"""What the operations on roles answer."""

from __future__ import annotations

import textwrap
from typing import Literal

from pydantic import BaseModel


class Shown(BaseModel):
    """One thing that was tried as the role."""

    action: str
    on: str
    allowed: bool
    expected: bool
    said: str

    @property
    def line(self) -> str:
        """Say it in one line."""
        verdict = "ok" if self.allowed == self.expected else "fault"
        can = "can" if self.allowed else "cannot"
        why = "" if self.allowed else f" ({self.said})"
        return f"{verdict:6} {can} {self.action} on {self.on}{why}"


class CredentialFile(BaseModel):
    """Where a credential was written."""

    path: str
    variable: str
    pooled: bool


class RoleCreated(BaseModel):
    """A role with a profile, and what was seen of it."""

    project: str
    branch: str
    database: str
    role: str
    profile: str
    existed: bool
    statements: tuple[str, ...]
    """What was sent; empty when nothing was missing."""
    skipped: tuple[str, ...] = ()
    """What this session may not do for the role."""
    differs: tuple[str, ...] = ()
    """What the role has beyond its profile; it stays."""
    written: CredentialFile | None = None
    tries: tuple[Shown, ...] = ()
    note: str = ""
    next: tuple[str, ...] = ()

    @property
    def faults(self) -> int:
        """Count what is other than the profile says."""
        return sum(each.allowed != each.expected for each in self.tries) + len(self.differs)

    def as_text(self, width: int) -> str:
        """Show it in a terminal."""
        done = "Nothing was missing." if not self.statements else f"{len(self.statements)} statements:"
        where = f"on {self.branch} of {self.project}, database {self.database}"
        parts = [f"Role {self.role} ({self.profile}) {where}.", done]
        parts += [line for each in self.statements for line in _wrapped(each, width)]
        if self.written is not None:
            way = "pooled" if self.written.pooled else "direct"
            parts += ["", f"{self.written.variable} ({way}) is in {self.written.path}, readable by you only."]
        if self.note:
            parts += ["", *textwrap.wrap(self.note, max(50, width))]
        if self.tries:
            parts += ["", f"Tried as {self.role}; nothing of it stays:", *(f"  {t.line}" for t in self.tries)]
        for title, lines in (("Not done", self.skipped), ("Differs from the profile", self.differs)):
            if lines:
                parts += ["", f"{title}:", *(one for each in lines for one in _wrapped(each, width))]
        return "\n".join([*parts, *(f"next: {each}" for each in self.next)])


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, max(50, width), initial_indent="  ", subsequent_indent="      ")


class Consumer(BaseModel):
    """Something that logs in as the role, or will."""

    kind: Literal["text", "secret", "code", "sessions", "branch"]
    """A file with the password in its text, a secret of CI, code, open sessions, or a copy of the branch."""
    where: str
    said: str
    by_hand: bool = False
    """True for what this command cannot change: the old credential stays open for it."""


class RoleRotated(BaseModel):
    """A credential that was exchanged, and what was shown."""

    project: str
    branch: str
    database: str
    role: str
    old: str
    """Role whose credential goes; the same as `new` where there was no overlap."""
    new: str
    closed: bool
    """True when the old credential fails, shown."""
    files: tuple[str, ...] = ()
    """Files that hold the new credential."""
    consumers: tuple[Consumer, ...] = ()
    checks: tuple[str, ...] = ()
    """What was shown, a sentence each."""
    waiting_for: tuple[str, ...] = ()
    """Who keeps the old credential open."""
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:
        """Show it in a terminal."""
        state = "the old credential is closed" if self.closed else "the old credential is still open"
        parts = [f"Role {self.role} on {self.branch} of {self.project}: {self.new} now logs in; {state}."]
        for title, lines in (
            ("Shown", self.checks),
            ("Files with the new credential", self.files),
            ("Consumers", tuple(f"{each.where}: {each.said}" for each in self.consumers)),
            ("The old one stays open for", self.waiting_for),
        ):
            if lines:
                parts += ["", f"{title}:", *(one for each in lines for one in _wrapped(each, width))]
        return "\n".join([*parts, *(f"next: {each}" for each in self.next)])


class RoleLine(BaseModel):
    """One role of a branch."""

    name: str
    use: str
    """Its profile, or how it was made."""
    logs_in: bool
    bypasses_row_security: bool
    sessions: int


class RoleList(BaseModel):
    """The roles of a branch."""

    project: str
    branch: str
    roles: tuple[RoleLine, ...]


class RoleDeleted(BaseModel):
    """A role that is gone, with its twin."""

    project: str
    branch: str
    roles: tuple[str, ...]
    heir: str
    """Role that has what they owned."""
    files: tuple[str, ...] = ()
    """Files whose credential fails now."""
    policies: tuple[str, ...] = ()
    """Policies that were for them alone, and are gone too."""
