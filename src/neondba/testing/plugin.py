"""The pytest plugin: a branch per test or session, from a template that is migrated once.

Loaded into every pytest run of whoever has neondba installed, so it imports nothing of ours until a
fixture is used. `-p no:neondba` leaves it out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from neondba.testing.branch import NeonBranch
    from neondba.testing.session import Session

_run_id = pytest.StashKey[str]()
_INI = (
    ("neon_project", "string", "Neon project that tests use: its id or its name."),
    ("neon_parent", "string", "Branch that tests start from; the default branch if absent."),
    ("neon_database", "string", "Database to connect to; neondb or the oldest if absent."),
    ("neon_migrate", "string", "Command that migrates the template once, such as: alembic upgrade head"),
    ("neon_migrations", "args", "Migration files or folders: while they stay, so does the template."),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the ini settings and their options."""
    group = parser.getgroup("neondba", "branches of a Neon database for tests")
    for name, kind, description in _INI:
        parser.addini(name, description, type=kind, default=[] if kind == "args" else None)  # type: ignore[arg-type]
        if kind == "string":
            group.addoption("--" + name.replace("_", "-"), dest=name, help=description)


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Have the assertions of neondba's own modules left as they are: none of them is a test.

    pytest rewrites those of a whole package that ships a plugin, which costs more than importing it.
    """
    hook = early_config.pluginmanager.rewrite_hook
    getattr(hook, "_must_rewrite", set()).discard("neondba")


def _setting(config: pytest.Config, name: str) -> str | None:
    return config.getoption(name) or config.getini(name) or None


def _run(config: pytest.Config) -> str:
    """Give what names this run, in all its workers alike."""
    shared: dict[str, Any] = getattr(config, "workerinput", {})
    return str(shared.get("neondba_run") or config.stash.setdefault(_run_id, uuid4().hex))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of pytest-xdist which run it belongs to."""
    node.workerinput["neondba_run"] = _run(node.config)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:  # noqa: ARG001 - the hook's own signature
    """Remember what a worker leaves for us to remove."""
    left = (getattr(node, "workeroutput", None) or {}).get("neondba_template")
    if left:
        node.config.stash[_left] = left


_left = pytest.StashKey[str]()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the template that the workers of this run shared."""
    name = config.stash.get(_left, None)
    if name is None:
        return
    from neondba.core.problem import Problem
    from neondba.testing import session, template

    # It is found and removed by a later run if Neon does not answer now.
    with suppress(Problem), session.opened(config.rootpath, *_where(config)) as opened:
        template.remove(opened, name)


def _where(config: pytest.Config) -> tuple[str | None, str | None]:
    return _setting(config, "neon_project"), _setting(config, "neon_database")


@contextmanager
def _told() -> Iterator[None]:
    """Say a problem in its own words, without our stack."""
    from neondba.core.problem import Problem

    try:
        yield
    except Problem as problem:
        pytest.fail("\n".join(part for part in (problem.message, problem.hint) if part), pytrace=False)


@pytest.fixture(scope="session")
def _neon(pytestconfig: pytest.Config) -> Iterator[Session]:
    from neondba.testing import session

    with _told(), session.opened(pytestconfig.rootpath, *_where(pytestconfig)) as opened:
        yield opened


@pytest.fixture(scope="session")
def neon_migrate(pytestconfig: pytest.Config) -> Callable[[NeonBranch], object] | None:
    """Migrate the template: called once with its branch. Override it to do so in Python."""
    text = _setting(pytestconfig, "neon_migrate")
    if text is None:
        return None
    from neondba.testing import template

    return template.command(text, pytestconfig.rootpath)


@pytest.fixture(scope="session")
def neon_template(
    _neon: Session, pytestconfig: pytest.Config, neon_migrate: Callable[[NeonBranch], object] | None
) -> Iterator[str | None]:
    """Give the name of the branch that tests branch from; `None` for the default branch."""
    parent = _setting(pytestconfig, "neon_parent")
    if neon_migrate is None:
        yield parent
        return
    from neondba.testing import template

    with _told():
        files = pytestconfig.getini("neon_migrations")
        key = _key(pytestconfig.rootpath, files, _neon, parent, pytestconfig) or _run(pytestconfig)
        made = template.ensure(_neon, template.name_for(key), parent, neon_migrate)
    yield made.name
    if files:
        return
    if hasattr(pytestconfig, "workeroutput"):
        pytestconfig.workeroutput["neondba_template"] = made.name
        return
    with _told():
        template.remove(_neon, made.name)


def _key(
    root: Path, files: list[str], neon: Session, parent: str | None, config: pytest.Config
) -> str | None:
    from neondba.testing import template

    if not files:
        return None
    source = neon.client.find_branch(neon.project, parent) if parent else None
    return template.digest(
        root, files, source.id if source else "", _setting(config, "neon_migrate") or "", neon.database or ""
    )


@pytest.fixture(scope="session")
def neon_branch_session(_neon: Session, neon_template: str | None) -> Iterator[NeonBranch]:
    """Give a branch that the tests of this process share; each worker has its own."""
    with _told(), _neon.branch(neon_template) as branch:
        yield branch


@pytest.fixture
def neon_branch(_neon: Session, neon_template: str | None) -> Iterator[NeonBranch]:
    """Give a branch that is this test's alone."""
    with _told(), _neon.branch(neon_template) as branch:
        yield branch


@pytest.fixture
def neon_environment(neon_branch: NeonBranch, monkeypatch: pytest.MonkeyPatch) -> NeonBranch:
    """Give this test's branch, and set DATABASE_URL and the rest in the environment meanwhile."""
    for name, value in neon_branch.environment.items():
        monkeypatch.setenv(name, value)
    return neon_branch
