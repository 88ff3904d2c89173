"""Show a rehearsal: as lines for a terminal, as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from neondba.migrations.results import (
    BLOCKING,
    MANY_ROWS,
    MOST_NAMED,
    Direction,
    Lock,
    Measured,
    Outcome,
    Rehearsal,
    Reversibility,
    Step,
)

LARGEST: Final = 20_000
MOST_STATEMENTS: Final = 12
LONGEST: Final = 60_000
MARKS: Final = {
    Reversibility.REVERSIBLE: "✅",
    Reversibility.LOSES_DATA: "⚠️",
    Reversibility.IRREVERSIBLE: "⚠️",
    Reversibility.DEPENDS: "⚠️",
    Reversibility.FAILS: "❌",
}


def text_of(rehearsal: Rehearsal) -> str:
    """Write it for a terminal."""
    lines = [head(rehearsal), ""]
    for step in rehearsal.steps:
        lines.append(f"{step.revision}  {step.reversibility.value.upper()}  {step.title}  ({step.path})")
        lines += [f"    {sentence}" for sentence in said(step)]
        lines += [f"      {one}" for one in statements(step)]
        lines.append(f"    {', '.join(run.brief for run in step.runs)}")
    lines += [f"{revision}  NOT REACHED" for revision in rehearsal.skipped]
    return "\n".join([*lines, *_untried(rehearsal)])


def head(rehearsal: Rehearsal) -> str:
    """Sum the rehearsal up in one line."""
    where = f" on branch {rehearsal.branch}" if rehearsal.branch else ""
    version, seconds = rehearsal.server_version, rehearsal.seconds
    return f"{rehearsal.summary} {rehearsal.tool}, PostgreSQL {version}{where}, {seconds:.1f} s."


def said(step: Step) -> Iterator[str]:
    """Give what is to be said of a step, most important first."""
    yield from step.sentences
    yield from _locks(step.locks)
    for one in measured_of(step):
        if one.rows >= MANY_ROWS:
            yield f"{one.rows} rows stay locked until the transaction ends: who changes one of them waits."
    if hasty := impatient(step):
        yield (
            "No lock_timeout: while it waits for its lock behind a long query, everybody else waits for "
            f"{', '.join(hasty[:MOST_NAMED])} behind it. `migration apply` sets one."
        )
    if step.load:
        yield step.load.sentence
    if step.prediction:
        yield step.prediction.sentence
    if step.safer:
        yield step.safer.sentence
        yield from (f"  {text};" for text in step.safer.statements if not step.safer.trouble)


def _locks(locks: Sequence[Lock]) -> Iterator[str]:
    for lock in locks:
        if lock.is_notable:
            by = f" ({lock.mode} of: {lock.statement})" if lock.statement else f" ({lock.mode})"
            yield f"{lock.sentence}{by}"
    short = [lock.relation for lock in locks if not lock.is_notable]
    if short:
        yield f"Locked for a moment: {', '.join(short)}."


def impatient(step: Step) -> list[str]:
    """Name the tables whose lock is waited for without end, and behind which reads or writes wait."""
    return sorted(
        {
            lock.relation
            for one in measured_of(step)
            for lock in one.locks
            if lock.mode in BLOCKING and not one.patient
        }
    )


def statements(step: Step) -> Iterator[str]:
    """Give one line for each statement of the way up that went through."""
    there = measured_of(step)
    for one in there[:MOST_STATEMENTS]:
        yield "  ".join([*_figures(one), one.text])
    if len(there) > MOST_STATEMENTS:
        yield f"… and {len(there) - MOST_STATEMENTS} more statements"


def measured_of(step: Step) -> tuple[Measured, ...]:
    """Give the statements of the last way up that went through, or of the one that did not."""
    ups = [run for run in step.runs if run.direction is Direction.UP]
    done = [run for run in ups if run.outcome is Outcome.DONE]
    return (done or ups)[-1].measured if ups else ()


def _figures(one: Measured) -> Iterator[str]:
    yield "not ended" if one.seconds is None else f"{one.seconds * 1000:.0f} ms"
    if one.wal is not None:
        yield f"{volume(one.wal)} log"
    if one.rows:
        yield f"{one.rows} rows"
    if one.rewritten:
        yield f"writes {', '.join(one.rewritten)} anew"


def volume(count: int) -> str:
    """Write a number of bytes."""
    amount = float(count)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def _untried(rehearsal: Rehearsal) -> Iterator[str]:
    for table in rehearsal.not_seeded:
        yield f"No rows in {table.table}: {table.reason}"
    for name in rehearsal.not_compared:
        yield f"Rows of {name} were not compared: they are many and have no key."
    for name in rehearsal.compared_in_part:
        yield f"Of {name} the first {LARGEST} rows by key were compared."


def markdown_of(rehearsal: Rehearsal) -> str:
    """Write it as a comment on a pull request."""
    lines = ["## Rehearsed migrations", "", _plain(head(rehearsal)), ""]
    for step in rehearsal.steps:
        lines += list(_section(step))
    lines += [f"### ❌ {_plain(revision)}: not reached\n" for revision in rehearsal.skipped]
    lines += [f"- {_plain(text)}" for text in _untried(rehearsal)]
    text = "\n".join(lines).rstrip() + "\n"
    if len(text) <= LONGEST:
        return text
    return text[: LONGEST - 200].rsplit("\n", 1)[0] + "\n\n… cut: the whole is in the command's own output.\n"


def _section(step: Step) -> Iterator[str]:
    mark = MARKS[step.reversibility]
    yield f"### {mark} {_plain(step.revision)} {_plain(step.title)}: {step.reversibility.value}"
    yield ""
    yield from (f"- {_plain(sentence.strip())}" for sentence in said(step))
    there = measured_of(step)
    if not there:
        yield ""
        return
    yield from ("", "| time | log | rows | locks | statement |", "|---:|---:|---:|---|---|")
    for one in there[:MOST_STATEMENTS]:
        locks = "; ".join(f"{lock.mode} on {lock.relation} for {lock.seconds:.2f} s" for lock in one.locks)
        time = "not ended" if one.seconds is None else f"{one.seconds * 1000:.0f} ms"
        wal = volume(one.wal) if one.wal is not None else ""
        yield f"| {time} | {wal} | {one.rows or ''} | {_plain(locks)} | {_code(one.text)} |"
    if len(there) > MOST_STATEMENTS:
        yield f"\n… and {len(there) - MOST_STATEMENTS} more statements."
    yield ""


def _plain(text: str) -> str:
    """Keep a text from becoming markup."""
    for sign in "\\`*_<>|#[]":
        text = text.replace(sign, f"\\{sign}")
    return text.replace("@", "@\u200b")


def _code(text: str) -> str:
    """Put a statement into a code span of a table's cell."""
    fence = "`" * (2 if "`" in text else 1)
    return f"{fence} {text.replace('|', chr(92) + '|')} {fence}" if text else ""
