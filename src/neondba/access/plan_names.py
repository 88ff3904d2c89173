"""Names by which columns and tables tell whose rows are."""

from __future__ import annotations

import re
from typing import Final

_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
PERSONS: Final = frozenset(
    {"user_id", "owner_id", "owner", "userid", "user_uuid", "owner_uuid", "owner_user_id", "user_email",
     "owner_email"}
)  # fmt: skip
"""Columns that name the person a row belongs to."""
MAKERS: Final = frozenset(
    {"author_id", "created_by", "created_by_id", "creator_id", "customer_id", "account_id", "uploaded_by",
     "profile_id", "member_id", "sender_id", "patient_id", "student_id", "employee_id"}
)  # fmt: skip
"""Columns that name who made a row, where nothing else names its owner."""
TENANTS: Final = re.compile(r"(tenant|organi[sz]ation|org|workspace|company|team)_(id|uuid)")
"""Columns that name a group."""
SHOWN: Final = re.compile(r"(is_)?(public|published|shared|listed)")
"""Booleans that open a row to all."""
USERS: Final = re.compile(r"(app_?|db_?|auth_?)?users?")
MEMBERS: Final = re.compile(
    r"member|collaborat|participant|access|permission|_users?$|_roles?$|share", re.IGNORECASE
)
TRIVIAL: Final = re.compile(
    r"like|favou?rite|bookmark|vote|reaction|view|follow|read|star|rating|review|invit"
)
"""Tables of people and things that say nothing of who may see what."""
PASSWORD: Final = re.compile(r"(hashed_?|encrypted_?)?password(_?(hash|digest))?")
LEADERS: Final = ("owner", "admin", "administrator", "manager", "lead")
STAFF: Final = ("is_superuser", "is_admin", "is_staff")
"""Booleans of the users' table that say who administers the application."""


def snake(name: str) -> str:
    """Bring `userId` and `user_id` together."""
    return _HUMP.sub("_", name).lower()
