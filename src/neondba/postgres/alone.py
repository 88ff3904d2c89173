"""Which statements no transaction takes."""

from __future__ import annotations

import re
from typing import Final

from neondba.postgres.sql_text import code_only
from neondba.postgres.statement import AlterTable, CreateIndex, DropObjects, Maintain, Statement

_WORDS: Final = re.compile(
    r"\s*(?:vacuum\b|alter\s+system\b|(?:create|drop)\s+(?:database|tablespace)\b"
    r"|reindex\s*(?:\([^)]*\)\s*)?(?:database|system|schema)\b|reindex\b.*\bconcurrently\b"
    r"|(?:create|drop)\s+subscription\b|alter\s+database\s.*\bset\s+tablespace\b"
    r"|alter\s+table\b.*\bdetach\s+partition\b.*\bconcurrently\b|cluster\s*(?:verbose)?\s*$)",
    re.IGNORECASE | re.DOTALL,
)


def stands_alone(statement: Statement) -> bool:
    """Tell whether PostgreSQL refuses a statement inside a transaction."""
    match statement.action:
        case CreateIndex(concurrently=True) | DropObjects(concurrently=True):
            return True
        case Maintain(kind="reindex", concurrently=True) | Maintain(kind="vacuum" | "vacuum full"):
            return True
        case AlterTable() | Maintain() | None:
            return _WORDS.match(code_only(statement.text)) is not None
    return False
