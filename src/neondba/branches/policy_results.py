"""What the operations on the policy answer with."""

from __future__ import annotations

from pydantic import BaseModel

from neondba.branches.policy_changes import Difference


class PolicyReport(BaseModel):
    """Where the branches of a project differ from its policy."""

    project: str
    tables: tuple[str, ...]
    """Names and patterns that the policy speaks of."""
    differences: tuple[Difference, ...]
    next: tuple[str, ...] = ()

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show it for a person."""
        said = [f"Every branch of project {self.project} is as the policy says ({', '.join(self.tables)})."]
        if self.differences:
            said = [f"Branches of project {self.project} that differ from the policy:"]
            said += [f"  {_line(each)}" for each in self.differences]
        return "\n".join([*said, *(f"\nNext\n  {step}" for step in self.next)])


class SettingChanged(BaseModel):
    """One setting that was to be changed, and what became of it."""

    branch: str
    setting: str
    before: str
    wanted: str
    refused: str | None = None
    """Why Neon did not take it; `None` when it is done."""


class PolicyApplied(BaseModel):
    """What was changed to fit the policy."""

    project: str
    changed: tuple[SettingChanged, ...]
    left: tuple[Difference, ...]
    """What differs and cannot be changed."""

    @property
    def exit_status(self) -> int:
        """Fail where a change was refused."""
        return 7 if any(each.refused for each in self.changed) else 0

    def as_text(self, width: int) -> str:  # noqa: ARG002 - the terminal wraps it
        """Show it for a person."""
        said = [] if self.changed else [f"Nothing to change in project {self.project}."]
        for each in self.changed:
            was = f"{each.branch}: {each.setting} {each.before} -> {each.wanted}"
            said.append(f"refused  {was}: {each.refused}" if each.refused else f"done     {was}")
        return "\n".join([*said, *(f"left     {_line(each)}" for each in self.left)])


def _line(each: Difference) -> str:
    note = f" {each.note}" if each.note else ""
    return f"{each.branch}: {each.setting} is {each.now}, wanted {each.wanted}.{note}"
