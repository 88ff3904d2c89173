"""Open one of our state files. Apart because the ORM takes 0.4 s to import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlmodel import SQLModel, create_engine


def opened(path: Path, table: str, **more: Any) -> Engine:
    """Open the file, creating it and its table for their owner only; `more` goes to the driver."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    made = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30, **more})
    SQLModel.metadata.tables[table].create(made, checkfirst=True)
    return made
