"""One type for everything that can go wrong."""

from __future__ import annotations

import pytest

from neondba.core import problem
from neondba.core.problem import Problem


def test_a_problem_is_four_parts() -> None:
    report = Problem("cup-empty", "The cup is empty.", hint="Fill it.", cup="blue").report()
    assert report.model_dump() == {
        "code": "cup-empty",
        "message": "The cup is empty.",
        "hint": "Fill it.",
        "facts": {"cup": "blue"},
    }


def test_a_problem_reads_as_its_sentence() -> None:
    assert str(Problem("cup-empty", "The cup is empty.")) == "The cup is empty."


@pytest.mark.parametrize(
    ("kind", "exit_status", "http_status"),
    [
        (problem.ArgumentProblem, 2, 400),
        (problem.CredentialsProblem, 3, 401),
        (problem.NotFoundProblem, 4, 404),
        (problem.ConflictProblem, 5, 409),
        (problem.ConfirmationNeeded, 6, 428),
        (problem.RemoteProblem, 7, 502),
    ],
)
def test_each_kind_has_its_statuses(kind: type[Problem], exit_status: int, http_status: int) -> None:
    assert (kind.exit_status, kind.http_status) == (exit_status, http_status)
