"""Everything that can go wrong for a user, in one type.

    Problem
    ├── ArgumentProblem       2   the call itself is wrong
    ├── CredentialsProblem    3   nobody is allowed in
    ├── NotFoundProblem       4   the thing named does not exist
    ├── ConflictProblem       5   the thing is busy, taken or in the way
    ├── ConfirmationNeeded    6   a plan waits for consent
    └── RemoteProblem         7   something we depend on failed

A `Problem` is an answer, not a crash: every surface renders the same four parts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel


class ProblemReport(BaseModel):
    """A problem as data: what each surface shows."""

    code: str
    """Stable name of the kind of problem, such as `branch-not-found`."""
    message: str
    """One sentence: what happened, to whom, in the user's own names."""
    hint: str | None = None
    """What to do next, as a command or an edit."""
    facts: dict[str, Any] = {}
    """What the sentence was made from. Never a secret."""


def wrong_value(error: Mapping[str, Any]) -> str:
    """Say in our words what pydantic finds wrong with a value."""
    if error["type"] == "missing":
        return "it is missing"
    if error["type"] == "extra_forbidden":
        return "nothing is called so"
    if error["type"] == "path_type":
        return "it should be a path"
    said = str(error["msg"]).partition(", unable to")[0]
    return said.replace("Input should", "it should", 1)


class Problem(Exception):
    """Say what happened, to whom, and what to do next."""

    exit_status: ClassVar[int] = 7
    http_status: ClassVar[int] = 500

    def __init__(self, code: str, message: str, *, hint: str | None = None, **facts: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.facts = facts

    def report(self) -> ProblemReport:
        """Give the four parts as data."""
        return ProblemReport(code=self.code, message=self.message, hint=self.hint, facts=self.facts)


class ArgumentProblem(Problem):
    """The call cannot be carried out as it was written."""

    exit_status = 2
    http_status = 400


class CredentialsProblem(Problem):
    """The key, role or password is missing or not accepted."""

    exit_status = 3
    http_status = 401


class NotFoundProblem(Problem):
    """The thing that was named does not exist here."""

    exit_status = 4
    http_status = 404


class ConflictProblem(Problem):
    """The thing is busy, already taken, or in a state that forbids this."""

    exit_status = 5
    http_status = 409


class ConfirmationNeeded(Problem):
    """The plan is ready and waits for consent that names its hash."""

    exit_status = 6
    http_status = 428


class RemoteProblem(Problem):
    """A server, process or disk that this depends on failed."""

    exit_status = 7
    http_status = 502
