"""Turn what was seen of a revision into a class and sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from neondba.migrations.observer import Picture, differences
from neondba.migrations.results import MOST_NAMED, Direction, Outcome, Reversibility, Run, Step
from neondba.postgres.catalog import diff
from neondba.postgres.contents import losses
from neondba.postgres.seen import Difference, Level, Loss
from neondba.project.alembic_runner.history import Revision
from neondba.project.alembic_runner.runner import Failure, StepResult, first_line


@dataclass
class Evidence:
    """Everything seen of one revision."""

    limit: float
    before: Picture
    upgraded: Picture | None = None
    downgraded: Picture | None = None
    upgraded_again: Picture | None = None
    runs: list[Run] = field(default_factory=list)
    failure: Failure | None = None
    waited: str | None = None
    """What a stopped step waited for."""
    stops_on_rows: str | None = None
    """What the server said when some columns that may be null were null."""
    stops_on_any: str | None = None
    """What the server said when the tables held any rows."""
    second_up_fails: str | None = None
    came_back: bool = True
    """Whether a way down that went through did anything."""
    one_way: str | None = None
    """The tool, where the migration has no way back and the tool does without."""
    made_roles: list[str] = field(default_factory=list)
    """Roles that a migration takes for granted, made for the rehearsal."""

    def nothing_undone(self, down: StepResult) -> bool:
        """See whether the downgrade left everything as the upgrade had made it."""
        assert self.upgraded is not None
        assert self.downgraded is not None
        if down.failure:
            return False
        changed = bool(differences(self.before, self.upgraded)) or self.runs[-2].statements > 0
        undone = bool(differences(self.upgraded, self.downgraded)) or self.runs[-1].statements > 0
        return changed and not undone

    @property
    def last(self) -> Run:
        """The run that was made last."""
        return self.runs[-1]


def judged(revision: Revision, path: str, seen: Evidence) -> Step:
    """Give the verdict on one revision."""
    kind, sentences = _verdict(revision, seen)
    left = _left(seen)
    return Step(
        revision=revision.id,
        title=revision.title,
        path=path,
        reversibility=kind,
        sentences=(*sentences, *_about_rows(seen), *_about_files(seen)),
        runs=tuple(seen.runs),
        differences=tuple(left),
        losses=tuple(_lost(seen)),
        needs_rows=seen.stops_on_rows,
        drops_data=bool(_dropped(seen)),
        only_seeded=seen.stops_on_any is not None,
        one_way=seen.one_way is not None,
    )


def _verdict(revision: Revision, seen: Evidence) -> tuple[Reversibility, list[str]]:
    if seen.waited:
        which = "upgrade" if seen.last.direction is not Direction.DOWN else "downgrade"
        return Reversibility.FAILS, [f"The {which} was stopped after {seen.limit:g} s {seen.waited}."]
    if seen.upgraded is None:
        return Reversibility.FAILS, [f"The upgrade fails: {_said(seen)}."]
    if seen.stops_on_any:
        kind, sentences = _reversal(revision, seen)
        return Reversibility.FAILS, [
            f"The upgrade stops on tables with rows: {first_line(seen.stops_on_any)}.",
            "On empty tables it passes.",
            *(sentences if kind is not Reversibility.REVERSIBLE else ()),
        ]
    return _reversal(revision, seen)


def _reversal(revision: Revision, seen: Evidence) -> tuple[Reversibility, list[str]]:
    if seen.one_way:
        return Reversibility.IRREVERSIBLE, [
            "It has no way back but the restore point that is made before it."
        ]
    down = next((run for run in seen.runs if run.direction is Direction.DOWN), None)
    if down is None or down.outcome is Outcome.FAILED:
        return Reversibility.IRREVERSIBLE, [_no_way_back(seen)]
    left, lost = _left(seen), _lost(seen)
    if seen.upgraded_again is None and seen.second_up_fails is None:
        why = "has no downgrade" if revision.downgrade == "missing" else "has a downgrade that does nothing"
        return Reversibility.IRREVERSIBLE, [f"It {why}."]
    sentences = []
    if left:
        sentences.append(f"After the downgrade: {_listed([d.text for d in left])}.")
    if seen.second_up_fails:
        sentences.append(f"The second upgrade fails: {first_line(seen.second_up_fails)}.")
    if lost:
        sentences.append(f"After the downgrade, {_listed([loss.text for loss in lost])}.")
    again = _again(seen)
    if again:
        sentences.append(f"The second upgrade gives another schema: {_listed(again)}.")
    if left or seen.second_up_fails or again:
        return Reversibility.IRREVERSIBLE, sentences
    if lost:
        return Reversibility.LOSES_DATA, sentences
    count = sum(seen.before.rows.rows.values())
    rows = f"; all {count} rows from before survived" if count else ""
    varies = seen.made_roles or seen.stops_on_rows
    kind = Reversibility.DEPENDS if varies else Reversibility.REVERSIBLE
    return kind, [f"Up, down and up give the same schema{rows}."]


def _no_way_back(seen: Evidence) -> str:
    if seen.failure and seen.failure.kind == "NotImplementedError":
        return "Its downgrade says itself that there is no way back."
    return f"The downgrade fails: {_said(seen)}."


def _said(seen: Evidence) -> str:
    if seen.failure is None:
        return "no reason was given"
    return first_line(seen.failure.said).rstrip(".")


def _left(seen: Evidence) -> list[Difference]:
    if seen.downgraded is None or seen.last.outcome is Outcome.STOPPED:
        return []
    if any(r.direction is Direction.DOWN and r.outcome is not Outcome.DONE for r in seen.runs):
        return []
    return differences(seen.before, seen.downgraded)


def _lost(seen: Evidence) -> list[Loss]:
    if seen.downgraded is None or seen.waited:
        return []
    return losses(seen.before.rows, seen.downgraded.rows)


def _again(seen: Evidence) -> list[str]:
    if seen.upgraded is None or seen.upgraded_again is None:
        return []
    found = diff(seen.upgraded.catalog, seen.upgraded_again.catalog)
    return [d.text for d in found if d.level is Level.DIFFERENCE]


def _about_rows(seen: Evidence) -> Iterator[str]:
    for role in seen.made_roles:
        yield f"It takes role {role} for granted; the rehearsal made one."
    if seen.stops_on_rows:
        yield f"It stops when a column that may be null is null: {first_line(seen.stops_on_rows)}."
    if dropped := _dropped(seen):
        yield f"The upgrade drops data: {_listed(dropped)}."


def _dropped(seen: Evidence) -> list[str]:
    if seen.upgraded is None:
        return []
    return [loss.text for loss in losses(seen.before.rows, seen.upgraded.rows) if _gone(seen, loss)]


def _gone(seen: Evidence, loss: Loss) -> bool:
    """Keep to whole columns and rows: a changed value may be the very point."""
    assert seen.upgraded is not None
    return loss.column is None or loss.column not in seen.upgraded.rows.values.get(loss.table, {})


def _about_files(seen: Evidence) -> Iterator[str]:
    ups = [run for run in seen.runs if run.direction is Direction.UP and run.outcome is Outcome.DONE]
    if ups and ups[-1].rewritten:
        yield f"The upgrade writes anew: {', '.join(ups[-1].rewritten)}."


def _listed(texts: list[str]) -> str:
    more = len(texts) - MOST_NAMED
    return "; ".join(texts[:MOST_NAMED]) + (f"; and {more} more" if more > 0 else "")
