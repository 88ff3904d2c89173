"""From findings to written files: plan, consent, all or nothing."""

from __future__ import annotations

import difflib
import re
import shlex
from pathlib import Path

from neondba.core.context import Context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import ConflictProblem, Problem
from neondba.project.tree import FolderTree
from neondba.review.assemble import Request, opened, reviewed
from neondba.review.finding import Reported
from neondba.review.masking import masked
from neondba.review.repair.guard import Guard
from neondba.review.repair.repairing import Repairs, repaired
from neondba.review.repair.results import FileWritten, Fixed, LeftAlone, Repaired
from neondba.review.writing import put

STAMPS = re.compile(r"20\d{12}|20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d+")


def fixed(ctx: Context, request: Request, chosen: list[str], *, dirty: bool) -> Fixed:
    """Repair what a review reports, as far as it is safe."""
    folder = ctx.folder / request.path
    opened(folder)
    tree = FolderTree(folder)
    wanted = [f for f in reviewed(ctx, request).findings if _is_chosen(f, chosen)]
    guard = Guard(folder, tree, dirty=dirty)
    repairs = repaired(tree, guard, ctx.clock.now(), ctx.progress, wanted)
    files = [_written(guard, path, text, repairs) for path, text in repairs.texts.items()]
    if files:
        plan = Plan(operation="fix", effect=Effect.WRITE, target=Target(), steps=_steps(files, repairs))
        with ctx.carry_out(plan):
            _write(guard, repairs)
    return Fixed(
        files=files,
        repaired=[Repaired(rule=f.rule, name=f.name, path=f.path, line=f.line) for f in repairs.done],
        left=[
            LeftAlone(rule=f.rule, name=f.name, path=f.path, line=f.line, why=why) for f, why in repairs.left
        ],
        remaining=len(wanted) - len(repairs.done),
        next=_next(request, repairs),
    )


def _is_chosen(finding: Reported, chosen: list[str]) -> bool:
    return not chosen or any(c.upper() == finding.rule or c.lower() == finding.name for c in chosen)


def _written(guard: Guard, path: str, text: str, repairs: Repairs) -> FileWritten:
    before = guard.read.get(path)
    old = "" if before is None else before.decode("utf-8-sig")
    rows = difflib.unified_diff(
        old.splitlines(), text.splitlines(), "/dev/null" if before is None else f"a/{path}", f"b/{path}",
        lineterm="",
    )  # fmt: skip
    rules = sorted({f"{f.rule} {f.name}" for f in repairs.because.get(path, [])})
    return FileWritten(path=path, made=before is None, rules=rules, diff="\n".join(map(masked, rows)))


def _steps(files: list[FileWritten], repairs: Repairs) -> tuple[str, ...]:
    """Say for each file what happens to it; what only tells the time is left out of the plan's hash."""
    steps = [
        f"{'Create' if file.made else 'Edit'} {file.path} for {', '.join(file.rules)}:\n{file.diff}"
        for file in files
    ]
    left = [f"Leave {f.rule} in {f.path}:{f.line}: {why}." for f, why in repairs.left]
    return tuple(STAMPS.sub("<now>", step) for step in [*steps, *left])


def _write(guard: Guard, repairs: Repairs) -> None:
    """Write every file, or none.

    Raises:
        ConflictProblem: a file has changed since it was read.
        RemoteProblem: a file cannot be written; those written before it are as they were.
    """
    for path in repairs.texts:
        if _now(guard.folder / path) != guard.read[path]:
            raise ConflictProblem(
                "file-changed",
                f"{path} has changed since it was read; nothing was written.",
                hint="Repeat the call.",
                path=path,
            )
    written: list[str] = []
    try:
        for path, text in repairs.texts.items():
            put(guard.folder / path, guard.encoded(path, text))
            written.append(path)
    except (Problem, KeyboardInterrupt):
        for path in written:
            before = guard.read[path]
            if before is None:
                (guard.folder / path).unlink(missing_ok=True)
            else:
                put(guard.folder / path, before)
        raise


def _now(place: Path) -> bytes | None:
    try:
        return place.read_bytes()
    except FileNotFoundError:
        return None


def _next(request: Request, repairs: Repairs) -> list[str]:
    quoted = shlex.quote(str(request.path))
    commands = ["git diff"] if repairs.texts else []
    commands += repairs.steps
    if any("versions/" in path or "migration" in path for path in repairs.texts):
        commands.append(f"neondba migration rehearse {quoted}")
    return [*commands, f"neondba review {quoted}"]
