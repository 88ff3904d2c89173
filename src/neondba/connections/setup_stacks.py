"""The beginnings that an empty folder may be given."""

from __future__ import annotations

from typing import Literal

Start = Literal["fastapi", "sqlalchemy", "django", "prisma", "drizzle", "next", "go", "plain"]
