"""What the operations on roles answer."""

from __future__ import annotations

import textwrap

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
