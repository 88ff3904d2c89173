"""Review a project; show the rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from neondba.core.context import Context
from neondba.core.operation import Example, operation
from neondba.core.plan import Effect
from neondba.core.problem import ArgumentProblem
from neondba.review.finding import Category, Severity
from neondba.review.model import Review
from neondba.review.repair.results import Fixed

Folder = Annotated[Path, Field(description="Folder of the project.")]
Prove = Annotated[
    bool, Field(description="Also show the claims on a throw-away branch: migrations, isolation.")
]
Revision = Annotated[str | None, Field(description="Git revision to read instead of the folder.")]
Branch = Annotated[
    str | None, Field(description="Neon branch whose database is looked at too: its name or id.")
]
Least = Annotated[Severity, Field(description="Leave out findings that matter less than this.")]
Base = Annotated[
    str | None, Field(description="Report only what the change since this git revision introduced.")
]
Known = Annotated[
    Path | None,
    Field(description="File of accepted findings; neondba-baseline.json where it exists; none for no file."),
]


@operation(
    "review",
    effect=Effect.READ,
    featured=True,
    turns={"--fix": "fix", "--write-baseline": "baseline.write"},
    findings=lambda review: len(review.findings),
    examples=(
        Example({"path": "examples/taskboard"}),
        Example({"path": "no/such/folder"}, problem="path-not-found"),
        Example({"path": "examples/taskboard", "revision": "no-such-revision"}, problem="revision-not-found"),
        Example({"path": "examples/taskboard", "baseline": "no-such-file"}, problem="baseline-not-found"),
    ),
)
def review(
    ctx: Context,
    path: Folder = Path(),
    *,
    prove: Prove = False,
    revision: Revision = None,
    base: Base = None,
    baseline: Known = None,
    severity: Least = Severity.LOW,
    branch: Branch = None,
    history: Annotated[
        bool, Field(description="Also look for secrets in every commit that git can still give.")
    ] = False,
    no_cache: Annotated[
        bool, Field(description="Look at everything anew, and keep nothing for the next review.")
    ] = False,
) -> Review:
    """Review a project's code, schema and migrations.

    Reads what git tracks or would track. Every finding says what will happen to whom, where, what to do
    and how sure that is: shown, read or not checked. With `--prove` the claims that can be shown are
    shown, on a branch that is gone afterwards. With `--base main` only what the change introduced is
    reported, also where the fault now shows in a file that the change did not touch.

    Raises:
        NotFoundProblem: the folder, the revision or the baseline does not exist.
        ArgumentProblem: there is nothing to review, a revision shall be proven, or git's history does
            not reach back to the base.
    """
    from neondba.review.assemble import Request, reviewed

    if prove and revision is not None:
        raise ArgumentProblem(
            "revision-not-provable",
            f"A proof runs the migrations of a folder; {revision} is only read.",
            hint=f"Check it out first: git worktree add /tmp/{revision} {revision}",
        )
    request = Request(path, prove, revision, severity, base, baseline, branch, not no_cache, history)
    return reviewed(ctx, request)


@operation(
    "fix",
    effect=Effect.WRITE,
    findings=lambda fixed: fixed.remaining,
    examples=(
        Example({"path": "docs/decisions"}),
        Example({"path": "no/such/folder"}, problem="path-not-found"),
    ),
)
def fix(
    ctx: Context,
    path: Folder = Path(),
    *,
    rule: Annotated[list[str] | None, Field(description="Repair only what these rules find.")] = None,
    base: Base = None,
    baseline: Known = None,
    severity: Least = Severity.LOW,
    allow_dirty: Annotated[bool, Field(description="Also edit files that git could not give back.")] = False,
) -> Fixed:
    """Repair what a review finds, where that is safe: edits and new migrations.

    Every repair is reviewed before it is written: it is kept only when its finding is gone and no other
    appears. Files with uncommitted changes, ignored files and files that may hold secrets are not
    touched. Migrations get the form of the project's own tool and are not run. `--dry-run` shows the
    difference.

    Raises:
        NotFoundProblem: the folder, the revision or the baseline does not exist.
        ArgumentProblem: there is nothing to review.
        ConflictProblem: a file changed while it was being repaired.
        RemoteProblem: a file cannot be written; all are as before.
    """
    from neondba.review.assemble import Request
    from neondba.review.repair.fixing import fixed

    request = Request(path, severity=severity, base=base, baseline=baseline, cache=False)
    return fixed(ctx, request, rule or [], dirty=allow_dirty)


class BaselineWritten(BaseModel):
    """What a baseline accepts now."""

    file: str
    accepted: int
    added: int
    """Findings that were not accepted before."""
    dropped: int
    """Entries that answered nothing any more."""
    next: list[str] = Field(default_factory=list)


@operation(
    "baseline.write",
    effect=Effect.WRITE,
    examples=(
        Example({"path": "docs/decisions"}),
        Example({"path": "no/such/folder"}, problem="path-not-found"),
    ),
)
def baseline_write(
    ctx: Context,
    path: Folder = Path(),
    *,
    file: Annotated[
        Path | None, Field(description="Where to write it; neondba-baseline.json in the folder if absent.")
    ] = None,
) -> BaselineWritten:
    """Accept today's findings: later reviews report only others.

    Writes one file for the repository. It holds what each finding says and fingerprints, no line of the
    project. Accepted findings stay accepted when lines move. Where nothing is found nothing is written.

    Raises:
        NotFoundProblem: the folder does not exist.
        ArgumentProblem: there is nothing to review, or the file that is there is no baseline.
        RemoteProblem: the file cannot be written.
    """
    from neondba.review.accepting import write

    return write(ctx, path, file)


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
