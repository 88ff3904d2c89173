"""Write a baseline from today's findings."""

from __future__ import annotations

import shlex
from pathlib import Path

from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.review import baseline
from neondba.review.assemble import WITHOUT, Request, opened, reviewed
from neondba.review.identity import compared
from neondba.review.operations import BaselineWritten
from neondba.review.writing import put


def write(ctx: Context, path: Path, file: Path | None) -> BaselineWritten:
    """Review without any baseline, and accept all that is found."""
    place = ctx.folder / (file if file is not None else path / baseline.NAME)
    shown = str(file if file is not None else path / baseline.NAME)
    opened(ctx.folder / path)
    former = baseline.read(place, shown).traces() if place.exists() else []
    findings = reviewed(ctx, Request(path, baseline=WITHOUT)).findings
    new, _, gone = compared(findings, former)
    made = BaselineWritten(file=shown, accepted=len(findings), added=len(new), dropped=len(gone))
    text = baseline.text_of(baseline.made_of(findings)).encode()
    if not findings and not place.exists():
        return made
    steps = [f"Accept {len(findings)} findings in {shown}, {len(new)} of them new."]
    if gone:
        steps.append(f"Drop {len(gone)} entries that answer nothing any more.")
    plan = Plan(operation="baseline.write", effect=Effect.WRITE, target=Target(), steps=tuple(steps))
    with ctx.carry_out(plan):
        put(place, text)
    made.next = [f"git add {shlex.quote(shown)}", f"neondba review {shlex.quote(str(path))}"]
    return made
