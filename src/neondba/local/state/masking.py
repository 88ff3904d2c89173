"""Anonymised branches: their rules, and how far their masking is."""

from __future__ import annotations

import json

from sqlmodel import Field, SQLModel

CREATED, INITIALIZED, INITIALIZATION_ERROR = "created", "initialized", "initialization_error"
ANONYMIZING, ANONYMIZED, ERROR = "anonymizing", "anonymized", "error"


class MaskingRow(SQLModel, table=True):
    """An anonymised branch."""

    __tablename__ = "masking"
    branch_id: str = Field(primary_key=True, foreign_key="branch.id", ondelete="CASCADE")
    state: str = CREATED
    status_message: str | None = None
    rules: str = "[]"
    """JSON, as the client gave them and as they are shown again."""
    created_at: str
    updated_at: str
    failed_at: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    masked_columns: int = 0

    def listed(self) -> list[dict[str, str]]:
        """Give the rules."""
        found: list[dict[str, str]] = json.loads(self.rules)
        return found
