"""Make a review: open the tree, run the rules, leave out what is known, draw the verdicts."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem, Problem
from neondba.core.proof import Proof, Shown, provers
from neondba.project.facts import Facts
from neondba.project.git import git
from neondba.project.tree import FolderTree, RevisionTree, Tree
from neondba.review import base as comparison
from neondba.review import baseline as accepted
from neondba.review.engine import Outcome, run
from neondba.review.finding import Reported, Severity
from neondba.review.identity import compared, trace_of
from neondba.review.looking import looked_at
from neondba.review.memory import Memory
from neondba.review.model import Compared, Review
from neondba.review.rule import rules
from neondba.review.verdict import Sight, verdicts

WITHOUT = Path("none")
"""What a user gives as the baseline to use none."""


@dataclass(frozen=True)
class Request:
    """What the user asked for."""

    path: Path = Path()
    prove: bool = False
    revision: str | None = None
    severity: Severity = Severity.LOW
    base: str | None = None
    baseline: Path | None = None
    branch: str | None = None
    cache: bool = True
    history: bool = False


def reviewed(ctx: Context, request: Request) -> Review:
    """Carry a review out."""
    started = ctx.clock.monotonic()
    folder = ctx.folder / request.path
    tree = opened(folder, request.revision)
    known = _baseline(ctx, tree, request)
    commit = request.base and comparison.merge_base(folder, request.base, request.revision or "HEAD")
    facts = _facts(ctx, tree, folder, request, commit)
    memory = Memory.of(tree, folder, request.revision, kept=request.cache)
    chosen = memory.rules() if not facts.given() else list(rules().values())
    outcome = run(tree, chosen, facts, ctx.progress, memory)
    findings, difference = outcome.findings, None
    if commit or known:
        findings, difference = _left(ctx, folder, tree, outcome, request, commit, known)
    proofs = _prove(ctx, folder) if request.prove else []
    speaks = memory.fact("speaks to a database", facts, _speaks_to_a_database)
    isolation = _isolation(facts, memory)
    unparsed = memory.unparsed(facts)
    memory.keep(facts, chosen)
    # What only waits for an option is told below, but no verdict lacks it.
    unseen = [gap for gap in outcome.not_checked if "add --" not in gap.missing]
    sight = Sight(speaks, len(unseen) + len(unparsed))
    findings = [f for f in findings if f.severity.rank <= request.severity.rank]
    where = str(request.path) if request.path != Path() else folder.resolve().name
    return Review(
        project=where if request.revision is None else f"{where} at {request.revision}",
        prefix=(git(folder, "rev-parse", "--show-prefix") or b"").decode(errors="replace").strip("\n"),
        files=len(tree.paths),
        lines=sum((tree.text(file) or "").count("\n") for file in tree.paths),
        seconds=ctx.clock.monotonic() - started,
        verdicts=verdicts(outcome.findings, proofs, sight),
        findings=findings,
        proofs=proofs,
        suppressed=outcome.suppressed,
        not_checked=outcome.not_checked,
        unparsed=unparsed,
        compared=difference,
        isolation=isolation,
        next=_next(request, findings),
    )


def _facts(ctx: Context, tree: Tree, folder: Path, request: Request, commit: str | None) -> Facts:
    """Begin with what no file of the tree gives, where the user asked for it."""
    facts = Facts(tree)
    if request.prove or request.branch:
        from neondba.project.database import Database

        facts.put(Database, looked_at(ctx, folder, request.branch, compared=bool(commit)))
    if request.history:
        from neondba.project.history import History, read_history

        facts.put(History, read_history(tree, folder, commit))
    return facts


def opened(folder: Path, revision: str | None = None) -> Tree:
    """Open a folder or one of its revisions.

    Raises:
        ArgumentProblem: it is a bare repository, or holds no line of text.
    """
    tree: Tree = FolderTree(folder)
    if revision is not None:
        tree = RevisionTree(folder, revision)
    elif (git(folder, "rev-parse", "--is-bare-repository") or b"").strip() == b"true":
        raise ArgumentProblem(
            "repository-bare",
            f"{folder} is a bare git repository: it has no files of its own.",
            hint=f"Name a revision: neondba review {shlex.quote(str(folder))} --revision HEAD",
        )
    if not any(tree.text(file) for file in tree.paths):
        raise ArgumentProblem(
            "nothing-to-review",
            f"{folder} holds no text files{_why_none(tree)}.",
            hint="Give the folder that holds the project's code, such as: neondba review ~/code/shop",
            path=str(folder),
        )
    return tree


def _why_none(tree: Tree) -> str:
    if tree.closed:
        return f" that you may read: {min(tree.closed)} is closed to you"
    return "" if tree.paths else ": it is empty"


def _baseline(ctx: Context, tree: Tree, request: Request) -> tuple[str, accepted.Baseline] | None:
    """Read the baseline that was named, else the one that lies in the folder."""
    if request.baseline == WITHOUT:
        return None
    if request.baseline is not None:
        shown = str(request.baseline)
        return shown, accepted.read(ctx.folder / request.baseline, shown)
    text = tree.text(accepted.NAME) if accepted.NAME in tree.paths else None
    return (accepted.NAME, accepted.parsed(text, accepted.NAME)) if text is not None else None


def _left(
    ctx: Context,
    folder: Path,
    tree: Tree,
    outcome: Outcome,
    request: Request,
    commit: str | None,
    known: tuple[str, accepted.Baseline] | None,
) -> tuple[list[Reported], Compared]:
    """Leave out what the baseline accepts, then what stood in the base before."""
    findings = outcome.findings
    said = Compared()
    if known is not None:
        findings, taken, stale = compared(findings, known[1].traces())
        said.baseline, said.accepted, said.stale = known[0], len(taken), accepted.told(stale)
    if commit is not None:
        before = RevisionTree(folder, commit)
        ctx.progress(f"Reviewing {request.base} for comparison")
        facts, memory = Facts(before), Memory.of(before, folder, commit, kept=request.cache)
        chosen = memory.rules()
        traces = [trace_of(f) for f in run(before, chosen, facts, ctx.progress, memory).findings]
        memory.keep(facts, chosen)
        renamed = comparison.renames(before, tree, [trace.path for trace in traces])
        near = comparison.Nearness(before, tree, renamed)
        _, _, gone = compared(outcome.findings, traces, renamed, near)
        findings, older, _ = compared(findings, traces, renamed, near)
        said.base, said.commit = request.base or "", commit
        said.older, said.repaired = len(older), len(gone)
    return findings, said


def _speaks_to_a_database(facts: Facts) -> bool:
    """Tell whether a program, a table or an address in the project has to do with Postgres."""
    from neondba.project.addresses import Addresses
    from neondba.project.schema import Schema
    from neondba.project.services import Services

    services = facts.get(Services).by_folder.values()
    mentions = any(service.postgres or service.neon for service in services)
    return mentions or bool(facts.get(Schema).tables) or any(a.is_store for a in facts.get(Addresses).all)


def _isolation(facts: Facts, memory: Memory) -> str:
    """Count in one line the statements that somebody outside reaches, by what binds them.

    Each language is remembered by itself: an edit in one leaves the other as it was.
    """
    python = memory.fact("bindings in Python", facts, _python_bindings)
    typescript = memory.fact("bindings in TypeScript", facts, _typescript_bindings)
    bindings = [*python.splitlines(), *typescript.splitlines()]
    if not bindings:
        return ""
    from neondba.project.isolation.fact import counted, sentence_of
    from neondba.project.isolation.judged import Binding

    return sentence_of(counted(Binding(binding) for binding in bindings))


def _python_bindings(facts: Facts) -> str:
    from neondba.project.isolation.python import PythonIsolation

    return "\n".join(j.binding for j in facts.get(PythonIsolation).judged)


def _typescript_bindings(facts: Facts) -> str:
    from neondba.project.typescript.isolation import TypeScriptIsolation

    return "\n".join(j.binding for j in facts.get(TypeScriptIsolation).judged)


def _prove(ctx: Context, folder: Path) -> list[Proof]:
    """Ask every prover; one that cannot is told of, and the others go on."""
    proofs = []
    for claim, show in provers().items():
        ctx.progress(f"Proving {claim} on a throw-away branch")
        started = ctx.clock.monotonic()
        try:
            proof = show(ctx, folder)
        except Problem as problem:
            proof = Proof(claim=claim, shown=Shown.NOT_CHECKED, summary=problem.message, missing=problem.hint)
        proofs.append(proof.model_copy(update={"seconds": ctx.clock.monotonic() - started}))
    return proofs


def _next(request: Request, findings: Sequence[Reported]) -> list[str]:
    quoted = shlex.quote(str(request.path))
    commands = [f"neondba rule {finding.rule}" for finding in findings[:1]]
    if any(finding.repair for finding in findings):
        commands.append(f"neondba review {quoted} --fix --dry-run")
    if not request.prove:
        commands.append(f"neondba review {quoted} --prove")
    if findings:
        commands.append(f"neondba review {quoted} --format html > review.html")
        commands.append(f"neondba review {quoted} --write-baseline")
    return commands
