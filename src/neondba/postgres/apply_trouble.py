"""Say why an apply ended early, what stands and what does not."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

from neondba.core.problem import ConflictProblem, Problem, RemoteProblem
from neondba.postgres.applied import Part, PartRun, Wait, brief

MOST_NAMED = 10


@dataclass(frozen=True)
class Standing:
    """How far it got."""

    parts: tuple[Part, ...]
    done: tuple[PartRun, ...]
    part: Part
    """The one that did not end well."""
    statement: str
    """The one it was in."""
    stands: bool | None
    """Whether that part took effect; nothing when nobody can tell."""
    invalid: tuple[str, ...] = ()
    """Invalid indexes that are there now."""
    waits: tuple[Wait, ...] = ()

    @property
    def applied(self) -> list[str]:
        """The parts that stand."""
        names = [run.name for run in self.done]
        return [*names, self.part.name] if self.stands else names

    @property
    def not_begun(self) -> list[str]:
        """The parts that it did not come to."""
        return [part.name for part in self.parts[self.parts.index(self.part) + 1 :]]

    @property
    def sentence(self) -> str:
        """What stands and what does not."""
        said = []
        if self.applied:
            said.append(f"Stands: {_counted(self.applied)}.")
        if self.stands is None:
            said.append(f"Unknown: {self.part.name} in `{brief(self.statement)}`.")
        elif not self.stands and not self.part.alone and self.applied:
            said.append(f"Rolled back: {self.part.name}.")
        elif not self.stands and self.part.alone and self.applied:
            said.append(f"Not done: `{brief(self.statement)}`.")
        elif not self.stands and not self.invalid:
            said.append("Nothing was changed.")
        if self.not_begun:
            said.append(f"Not begun: {_counted(self.not_begun)}.")
        if self.invalid:
            said.append(f"Invalid, and in nobody's use: index {', '.join(self.invalid)}.")
        return " ".join(said)

    @property
    def clean_up(self) -> str | None:
        """The statements that take away what was left."""
        if not self.invalid:
            return None
        drops = " ".join(f"drop index concurrently {name};" for name in self.invalid)
        return f"Remove what is left: {drops}"

    def facts(self) -> dict[str, object]:
        """Give the same as data."""
        return {
            "applied": self.applied,
            "not_applied": [] if self.stands else [self.part.name],
            "not_begun": self.not_begun,
            "statement": brief(self.statement),
            "invalid_indexes": list(self.invalid),
            "tries": len(self.waits) + 1,
        }


def ended_by(why: BaseException, standing: Standing) -> Problem:
    """Make the Problem from what ended it and how far it got."""
    if isinstance(why, Problem):
        said = f"{why.message} {standing.sentence}"
        return type(why)(
            why.code, said, hint=why.hint or standing.clean_up, **{**standing.facts(), **why.facts}
        )
    if not isinstance(why, psycopg.Error):
        return ConflictProblem(
            "apply-stopped",
            f"{standing.part.name} was stopped. {standing.sentence}",
            hint=standing.clean_up or "Begin again when it suits: what stands is not done twice.",
            **standing.facts(),
        )
    return _refused(why, standing)


def _refused(why: psycopg.Error, standing: Standing) -> Problem:
    said = said_by(why)
    where = f"{standing.part.name}: `{brief(standing.statement)}`"
    if why.sqlstate in ("55P03", "40P01", "40001") and standing.waits:
        held = next((w.held_by for w in reversed(standing.waits) if w.held_by), None)
        over = sum(wait.seconds for wait in standing.waits)
        return ConflictProblem(
            "lock-not-had",
            f"{where} did not get its lock in {len(standing.waits)} tries ({over:.0f} s in all): {said}. "
            f"{f'{held} was in the way. ' if held else ''}{standing.sentence}",
            hint=standing.clean_up or "Try again when that session has ended, or at a quieter time.",
            **standing.facts(),
        )
    if why.sqlstate is None:
        return RemoteProblem(
            "connection-lost",
            f"The connection broke during {where}: {said}. {standing.sentence}",
            hint=standing.clean_up or "See whether the branch's compute runs, then begin again.",
            **standing.facts(),
        )
    return ConflictProblem(
        "statement-refused",
        f"{where} was refused: {said}. {standing.sentence}",
        hint=standing.clean_up or "Correct the statement, then rehearse it again.",
        sqlstate=why.sqlstate,
        **standing.facts(),
    )


def said_by(refused: psycopg.Error) -> str:
    """Give the server's own sentence, with its detail unless that quotes a row."""
    about_rows = (refused.sqlstate or "")[:2] in ("22", "23")
    detail = None if about_rows else refused.diag.message_detail
    said = refused.diag.message_primary or str(refused).partition("\n")[0] or type(refused).__name__
    return f"{said} ({detail.rstrip('.')})" if detail else said.rstrip(".")


def _counted(names: list[str]) -> str:
    """Name each once, with how many parts of it."""
    each = list(dict.fromkeys(names))
    texts = [f"{n} ({names.count(n)} parts)" if names.count(n) > 1 else n for n in each[:MOST_NAMED]]
    return ", ".join(texts) + (f" and {len(each) - MOST_NAMED} more" if len(each) > MOST_NAMED else "")
