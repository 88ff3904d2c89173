"""The tables keep what refers to something together with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from neondba.local.control import changes
from neondba.local.state.store import State
from neondba.local.state.tables import (
    BranchRow,
    DatabaseRow,
    EndpointRow,
    OperationRow,
    ProjectRow,
    RoleRow,
    TimelineRow,
)

NOW = "2026-11-21T00:00:00Z"
MADE = {"created_at": NOW, "updated_at": NOW}


@pytest.fixture
def state(tmp_path: Path):
    made = State(tmp_path / "state.sqlite")
    yield made
    made.close()


def _project() -> ProjectRow:
    return ProjectRow(
        id="p", name="shop", region_id="here", pg_version=18, history_retention_seconds=0, **MADE
    )


def _branch(name: str, parent: str | None = None) -> BranchRow:
    return BranchRow(
        id=name, project_id="p", name=name, timeline_id=name, parent_id=parent, state_changed_at=NOW, **MADE
    )


def test_what_belongs_to_a_project_goes_with_it_but_the_record_stays(state):
    with state.change() as rows:
        rows.add(
            _project(), *(TimelineRow(id=name, project_id="p", created_at=NOW) for name in ("main", "dev"))
        )
        rows.add(_branch("main"), _branch("dev", "main"))
        for branch in rows.all(BranchRow):
            changes.endpoint(rows, branch, NOW, {})
            changes.role(rows, branch.id, "app", NOW)
            changes.database(rows, branch.id, "shop", "app", NOW)
            changes.operation(rows, "create_branch", "p", NOW, branch_id=branch.id)
    with state.change() as rows:
        rows.delete(*rows.all(ProjectRow))
    with state.read() as rows:
        for kind in (BranchRow, TimelineRow, EndpointRow, RoleRow, DatabaseRow):
            assert rows.all(kind) == [], kind
        assert [row.branch_id for row in rows.all(OperationRow)] == ["main", "dev"]


def test_a_branch_of_no_project_is_refused(state):
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), state.change() as rows:
        rows.add(_branch("lost"))


def test_a_role_of_no_branch_is_refused(state):
    with pytest.raises(IntegrityError, match="FOREIGN KEY"), state.change() as rows:
        changes.role(rows, "nowhere", "app", NOW)


def test_an_operation_has_a_known_status(state):
    with pytest.raises(IntegrityError, match="CHECK"), state.change() as rows:
        changes.operation(rows, "create_branch", "p", NOW).status = "lost"
