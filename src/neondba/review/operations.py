"""Review a project; show the rules."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field

from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.core.problem import ArgumentProblem
from neondba.core.proof import Proof, Shown, provers
from neondba.review.finding import Category, Severity
from neondba.review.model import Review

if TYPE_CHECKING:
    from neondba.project.facts import Facts

if TYPE_CHECKING:
    from neondba.project.tree import Tree

PATH = Field(description="Folder of the project.")


@operation(
    "review",
    effect=Effect.READ,
    featured=True,
    findings=lambda review: len(review.findings),
    examples=(
        Example({"path": "examples/taskboard"}),
        Example({"path": "no/such/folder"}, problem="path-not-found"),
        Example({"path": "examples/taskboard", "revision": "no-such-revision"}, problem="revision-not-found"),
    ),
)
def review(
    ctx: Context,
    path: Annotated[Path, PATH] = Path(),
    *,
    prove: Annotated[
        bool, Field(description="Also show the claims on a throw-away branch: migrations, isolation.")
    ] = False,
    revision: Annotated[str | None, Field(description="Git revision to read instead of the folder.")] = None,
    severity: Annotated[
        Severity, Field(description="Leave out findings that matter less than this.")
    ] = Severity.LOW,
) -> Review:
    """Review a project's code, schema and migrations.

    Reads what git tracks or would track. Every finding says what will happen to whom, where, what to do
    and how sure that is: shown, read or not checked. With `--prove` the claims that can be shown are
    shown, on a branch that is gone afterwards.

    Raises:
        NotFoundProblem: the folder or the revision does not exist.
        ArgumentProblem: there is nothing to review, or a revision shall be proven.
    """
    from neondba.project.facts import Facts
    from neondba.review.engine import run
    from neondba.review.rule import rules
    from neondba.review.verdict import Sight, verdicts

    started = ctx.clock.monotonic()
    if prove and revision is not None:
        raise ArgumentProblem(
            "revision-not-provable",
            f"A proof runs the migrations of a folder; {revision} is only read.",
            hint=f"Check it out first: git worktree add /tmp/{revision} {revision}",
        )
    tree = _opened(ctx.folder / path, revision)
    facts = Facts(tree)
    outcome = run(tree, rules().values(), facts, ctx.progress)
    proofs = _prove(ctx, ctx.folder / path) if prove else []
    unparsed = facts.unparsed()
    sight = Sight(_speaks_to_a_database(facts), len(outcome.not_checked) + len(unparsed))
    findings = [f for f in outcome.findings if f.severity.rank <= severity.rank]
    return Review(
        project=str(path) if revision is None else f"{path} at {revision}",
        files=len(tree.paths),
        lines=sum((tree.text(file) or "").count("\n") for file in tree.paths),
        seconds=ctx.clock.monotonic() - started,
        verdicts=verdicts(outcome.findings, proofs, sight),
        findings=findings,
        proofs=proofs,
        suppressed=outcome.suppressed,
        not_checked=outcome.not_checked,
        unparsed=unparsed,
        next=_next(path, [f.rule for f in findings], prove),
    )


def _opened(folder: Path, revision: str | None) -> Tree:
    """Open a folder or one of its revisions; refuse one without a line of text."""
    from neondba.project.tree import FolderTree, RevisionTree

    tree: Tree = FolderTree(folder)
    if revision is not None:
        tree = RevisionTree(folder, revision)
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


def _speaks_to_a_database(facts: Facts) -> bool:
    """Tell whether a program, a table or an address in the project has to do with Postgres."""
    from neondba.project.addresses import Addresses
    from neondba.project.schema import Schema
    from neondba.project.services import Services

    services = facts.get(Services).by_folder.values()
    mentions = any(service.postgres or service.neon for service in services)
    return mentions or bool(facts.get(Schema).tables) or any(a.is_store for a in facts.get(Addresses).all)


def _prove(ctx: Context, folder: Path) -> list[Proof]:
    """Ask every prover; one that cannot is told of, and the others go on."""
    from neondba.core.problem import Problem

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


def _next(path: Path, codes: list[str], proven: bool) -> list[str]:
    quoted = shlex.quote(str(path))
    commands = [f"neondba rule show {code}" for code in dict.fromkeys(codes[:1])]
    if not proven:
        commands.append(f"neondba review {quoted} --prove")
    commands += [
        f"neondba review {quoted} --format markdown > review.md",
        f"neondba migration rehearse {quoted}",
        f"neondba isolation prove {quoted}",
    ]
    return commands


class RuleSummary(BaseModel):
    """A rule in the list of rules."""

    code: str
    name: str
    category: Category
    severity: Severity
    title: str


class RulePage(RuleSummary):
    """A rule with its whole page."""

    page: str

    def as_text(self, width: int) -> str:  # noqa: ARG002 - a page is prose; the terminal wraps it
        """Give the page as it is read in a terminal."""
        return f"{self.code} {self.name} ({self.category}, {self.severity})\n\n{self.page}"

    def as_markdown(self) -> str:
        """Give the page as a document."""
        head, _, rest = self.page.partition("\n")
        kind = f"Category {self.category}, severity {self.severity}."
        return f"# {self.code} {self.name}\n\n{head}\n\n{kind}\n{rest}\n"


@operation("rule.list", effect=Effect.READ, examples=(Example(),))
def rule_list(
    ctx: Context,
    *,
    category: Annotated[Category | None, Field(description="Only rules of this category.")] = None,
) -> list[RuleSummary]:
    """List the rules that a review checks."""
    from neondba.review.rule import rules

    return [
        RuleSummary(code=r.code, name=r.name, category=r.category, severity=r.severity, title=r.title)
        for r in rules().values()
        if category in (None, r.category)
    ]


@operation(
    "rule.show",
    effect=Effect.READ,
    alone=True,
    examples=(Example({"rule": "NDB101"}), Example({"rule": "NDB000"}, problem="rule-not-found")),
)
def rule_show(
    ctx: Context,
    rule: Annotated[str, Field(description="Code or name of the rule: NDB601 or blocking-index.")],
) -> RulePage:
    """Show a rule's page: why it matters, what to write instead."""
    from neondba.review.rule import find_rule

    found = find_rule(rule)
    return RulePage(
        code=found.code,
        name=found.name,
        category=found.category,
        severity=found.severity,
        title=found.title,
        page=found.page,
    )
