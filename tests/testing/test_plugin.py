"""The pytest plugin in inner pytest runs, against a real local Neon."""

from __future__ import annotations

import sys

import pytest

MIGRATE = """
import os, pathlib, psycopg
assert "-pooler" not in os.environ["DATABASE_URL"]
with psycopg.connect(os.environ["DATABASE_URL"]) as db:
    db.execute(pathlib.Path("migrations/1.sql").read_text())
with open("runs", "a") as runs:
    runs.write(os.environ["NEON_BRANCH"] + "\\n")
"""
OWN = """
import pytest
@pytest.mark.parametrize("number", range(3))
def test_own(neon_branch, number):
    with neon_branch.connect() as db:
        assert db.execute("select count(*) as n from note").fetchone() == {"n": 0}
        db.execute("insert into note values (%s)", [number])
"""


def ini(pytester: pytest.Pytester, *more: str) -> None:
    lines = ["[pytest]", "addopts = -p no:cacheprovider", "filterwarnings = error", *more]
    pytester.makeini("\n".join(lines))


@pytest.fixture
def migrated(neon, pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with one migration and tests that each need an empty table."""
    pytester.mkdir("migrations").joinpath("1.sql").write_text("create table note (n int)")
    pytester.makepyfile(migrate=MIGRATE, test_own=OWN)
    ini(pytester, f"neon_migrate = {sys.executable} migrate.py")
    return pytester


def runs(pytester: pytest.Pytester) -> int:
    return len((pytester.path / "runs").read_text().splitlines())


def test_each_test_has_a_branch_of_its_own_from_a_template_migrated_once(migrated, branches):
    migrated.runpytest_subprocess("-q").assert_outcomes(passed=3)
    assert runs(migrated) == 1
    assert branches() == ["main"]


def test_workers_share_the_template_of_a_run(migrated, branches):
    migrated.runpytest_subprocess("-q", "-n", "2").assert_outcomes(passed=3)
    assert runs(migrated) == 1
    assert branches() == ["main"]


def test_a_template_is_kept_while_its_migrations_stay(migrated, branches, neon):
    ini(migrated, f"neon_migrate = {sys.executable} migrate.py", "neon_migrations = migrations")
    for _ in range(2):
        migrated.runpytest_subprocess("-q", "-k", "0").assert_outcomes(passed=1, deselected=2)
    assert runs(migrated) == 1
    kept = [name for name in branches() if name.startswith("neondba-template-")]
    assert len(kept) == 1
    (migrated.path / "migrations" / "1.sql").write_text("create table note (n bigint)")
    migrated.runpytest_subprocess("-q", "-k", "0").assert_outcomes(passed=1, deselected=2)
    assert runs(migrated) == 2
    project = neon.find_project("shop")
    for name in [name for name in branches() if name.startswith("neondba-template-")]:
        neon.delete_branch(project.id, neon.find_branch(project, name).id)


def test_migrations_that_fail_are_told_in_their_own_words(migrated, branches):
    (migrated.path / "migrations" / "1.sql").write_text("create tabel note ()")
    result = migrated.runpytest_subprocess("-q")
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*migrate.py ended with status 1 on the template*", "*syntax error*tabel*"])
    assert "npg_" not in result.stdout.str()
    assert branches() == ["main"]


def test_migrations_may_be_python_and_a_session_may_share_a_branch(neon, pytester, branches):
    pytester.makeconftest("""
        import pytest
        @pytest.fixture(scope="session")
        def neon_migrate():
            def migrate(branch):
                with branch.connect() as db:
                    db.execute("create table note (n int)")
            return migrate
    """)
    pytester.makepyfile("""
        import os
        def test_first(neon_branch_session):
            with neon_branch_session.connect() as db:
                db.execute("insert into note values (1)")
        def test_second(neon_branch_session, neon_environment):
            with neon_branch_session.connect() as db:
                assert db.execute("select n from note").fetchall() == [{"n": 1}]
            with neon_environment.connect() as db:
                assert db.execute("select n from note").fetchall() == []
            assert os.environ["DATABASE_URL"] == neon_environment.url
            assert os.environ["NEON_BRANCH"] == neon_environment.branch
        def test_environment_is_gone():
            assert "DATABASE_URL" not in os.environ
    """)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=3)
    assert branches() == ["main"]


def test_addresses_are_there_for_every_driver_and_not_in_a_failure_s_text(neon, pytester):
    pytester.makepyfile("""
        import psycopg, pytest
        def test_addresses(neon_branch):
            assert "-pooler" in neon_branch.url and "-pooler" not in neon_branch.url_unpooled
            assert neon_branch.url_for("asyncpg").startswith("postgresql+asyncpg://")
            assert "channel_binding" not in neon_branch.url_for("asyncpg")
            with psycopg.connect(neon_branch.url) as db:
                assert db.execute("select current_user").fetchone() == (neon_branch.role,)
        async def ask(url):
            async with await psycopg.AsyncConnection.connect(url) as db:
                return await (await db.execute("select 1")).fetchone()
        def test_async(neon_branch):
            import asyncio
            assert asyncio.run(ask(neon_branch.url)) == (1,)
        def test_failing(neon_branch):
            assert neon_branch == 1
    """)
    result = pytester.runpytest_subprocess("-q", "-l")
    result.assert_outcomes(passed=2, failed=1)
    assert "npg_" not in result.stdout.str()


def test_a_missing_project_is_one_sentence(neon, pytester):
    pytester.makepyfile("def test_it(neon_branch): ...")
    result = pytester.runpytest_subprocess("-q", "--neon-project", "no-such-shop")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*no-such-shop*"])
    assert "Traceback" not in result.stdout.str()


def test_who_does_not_use_it_loads_none_of_it(neon, pytester, monkeypatch):
    for name in ("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_PLUGINS"):
        monkeypatch.delenv(name)
    pytester.makepyfile("""
        import sys
        def test_it():
            ours = {name for name in sys.modules if name.startswith("neondba")}
            assert ours == {"neondba", "neondba.core", "neondba.core.version", "neondba.testing",
                            "neondba.testing.plugin"}
            assert not {"psycopg", "sqlmodel", "neondba.core.context"} & set(sys.modules)
    """)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
    result = pytester.runpytest_subprocess("-q", "-p", "no:neondba", "--fixtures")
    assert "neon_branch" not in result.stdout.str()


def test_our_own_modules_keep_their_assertions_as_they_are():
    from neondba.neon import client

    assert "@pytest_ar" in globals(), "pytest names what it rewrites differently now"
    assert "@pytest_ar" not in vars(client)
