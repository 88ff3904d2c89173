"""Look into a state that no server may have open, or can open."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, col, create_engine, select

from neondba.local.state.tables import ProjectRow


def project_names(file: Path) -> tuple[str, ...] | None:
    """Give the names of its projects; None when it cannot be read."""
    engine = create_engine("sqlite://", creator=lambda: sqlite3.connect(f"file:{file}?mode=ro", uri=True))
    wanted = select(ProjectRow.name).where(~col(ProjectRow.deleting)).order_by(ProjectRow.name)
    try:
        with Session(engine) as rows:
            return tuple(rows.exec(wanted))
    except SQLAlchemyError:
        return None
    finally:
        engine.dispose()
