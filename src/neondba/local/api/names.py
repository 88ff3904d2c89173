"""What names may look like, and when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from neondba.local.api.call import Refusal

RESERVED: Final = frozenset({"neon_superuser", "cloud_admin", "zenith_admin", "public", "none"})
BASES: Final = frozenset({"postgres", "template0", "template1"})
LONGEST_LIFE: Final = timedelta(days=30)


def identifier(what: str, name: Any, reserved: frozenset[str] = RESERVED) -> str:
    """Accept a role's or database's name."""
    if not isinstance(name, str) or not name or "\0" in name:
        raise Refusal(400, f"{what} is required")
    if len(name.encode()) > 63:
        raise Refusal(400, f"{what} must not be longer than 63 bytes")
    if name.lower() in reserved or name.lower().startswith("pg_"):
        raise Refusal(400, f"{what} {name} is reserved")
    return name


def plain_name(what: str, name: Any) -> str:
    """Accept a project's or branch's name."""
    if not isinstance(name, str) or not name.strip() or len(name) > 256:
        raise Refusal(400, f"{what} must have 1 to 256 characters")
    return name


def expiry(value: Any, now: datetime) -> tuple[str | None, int | None]:
    """Read `expires_at`: the moment as we store it, and the seconds until then."""
    if value is None:
        return None, None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise Refusal(400, "expires_at must be an RFC 3339 time") from None
    if moment.tzinfo is None:
        raise Refusal(400, "expires_at must have a time zone")
    moment = moment.astimezone(UTC).replace(microsecond=0)
    if moment <= now:
        raise Refusal(400, "expires_at must be in the future")
    if moment > now + LONGEST_LIFE:
        raise Refusal(400, "expires_at must be at most 30 days ahead")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ"), round((moment - now).total_seconds())
