"""A connection that cannot be opened says why, without the password."""

from __future__ import annotations

import pytest

from neondba.core.problem import NotFoundProblem, Problem, RemoteProblem
from neondba.core.secret import Secret
from neondba.postgres.connect import Refused, connect, explained


def test_a_missing_database_is_named(server: Secret) -> None:
    with pytest.raises(NotFoundProblem, match="Database nowhere does not exist"):
        connect(Secret(server.reveal().replace("/postgres?", "/nowhere?")))


def test_a_missing_role_is_named(server: Secret) -> None:
    with pytest.raises(NotFoundProblem, match="Role nobody_here does not exist"):
        connect(Secret(server.reveal().replace("scratch@", "nobody_here@")))


def test_a_closed_port_is_remote_trouble_without_the_password() -> None:
    password = "pass" + "word-7391"
    with pytest.raises(RemoteProblem) as caught:
        connect(Secret(f"postgresql://me:{password}@127.0.0.1:1/db"))
    assert caught.value.code == "connection-failed"
    assert password not in str(caught.value.report())


def test_an_unreadable_connection_string_is_not_repeated() -> None:
    secret = "hunter" + "2"
    with pytest.raises(Problem) as caught:
        connect(Secret(f"postgresql://me:{secret}@[broken/db"))
    assert caught.value.code == "connection-string-invalid"
    assert secret not in str(caught.value.report())


def test_a_refused_password_is_a_matter_of_credentials() -> None:
    password = "pass" + "word-7391"
    error = Refused(f'FATAL:  password authentication failed for user "me" {password}')
    problem = explained(error, Secret(f"postgresql://me:{password}@db.example/app"))
    assert problem.code == "password-refused"
    assert password not in str(problem.report())


def test_a_statement_over_the_limit_is_cancelled(url: Secret) -> None:
    with connect(url, limit=0.05) as session, pytest.raises(Refused, match="statement timeout"):
        session.execute("select pg_sleep(30)")
