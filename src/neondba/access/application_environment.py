"""The whole environment of an application under proof: the branch, test keys, and nothing of the user's.

The user's own variables and `.env` files may lead to production, so neither is passed on. What the
application reads is given by name: its database is the branch, its identity provider ours, its secrets
are made up, and what it would call outside is led to a closed port.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import parse

if TYPE_CHECKING:
    from neondba.core.context import Context
    from neondba.project.environment import Environment

KEPT: Final = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "SYSTEMROOT",
    "PYENV_VERSION",
    "LD_LIBRARY_PATH",
)
CLOSED: Final = "http://127.0.0.1:9"
"""Nothing answers there: the application's calls to the outside fail at once."""
_SHORTEST: Final = 8
"""Texts up to this length are words that an output may hold anyway."""
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
_SECRET: Final = re.compile(
    r"(?:SECRET|JWT|SIGNING|ENCRYPTION|SESSION|COOKIE|AUTH)\w*(?:KEY|SECRET)|SECRET|SALT|PEPPER|FERNET"
)
_OUTSIDE: Final = re.compile(
    r"API_?KEY|OPENAI|ANTHROPIC|STRIPE|GOOGLE|GITHUB|AWS|S3|SENTRY|SMTP|SENDGRID|RESEND|CLIENT_SECRET|WEBHOOK|TWILIO"
)
_IDENTITY: Final = re.compile(
    r"AUTH|JWKS|ISSUER|\bISS\b|AUDIENCE|OIDC|IDP|SSO|IDENTITY|COGNITO|CLERK|KEYCLOAK"
)
_ADDRESS: Final = re.compile(r"URL|URI|ISSUER|ISS$|AUDIENCE|DOMAIN|BASE|HOST|ORIGIN|JWKS|ENDPOINT")
_PLAIN: Final = re.compile(
    r"ENABLED?|DISABLED?|EXPIR|MINUTES|SECONDS|HOURS|DAYS|ALGORITHM|NAME|PREFIX|ROUTE|PATH"
)


@dataclass(frozen=True)
class Given:
    """What the application is started with."""

    values: dict[str, Secret]
    signing: tuple[Secret, ...]
    """Secrets with which it may sign tokens of its own."""
    audiences: tuple[str, ...]
    hidden: tuple[str, ...] = field(repr=False, default=())
    """Texts that must not appear in what is shown."""


def environment_for(
    ctx: Context,
    folder: Path,
    read: Environment,
    url: Secret,
    provider: str,
    scheme: str,
    given: Mapping[str, str],
) -> Given:
    """Give every variable by name.

    Raises:
        ArgumentProblem: a value was given for a variable that leads to the database.
    """
    from neondba.project.alembic_runner.environment import names_in, variables

    database = variables(names_in(folder), url, scheme)
    refuse_addresses(given, database)
    secret = Secret(f"{ctx.chance.getrandbits(256):064x}")
    values = {name: Secret(os.environ[name]) for name in KEPT if name in os.environ}
    values |= {n: Secret(CLOSED) for name in _PROXIES for n in (name, name.lower())}
    values |= {n: Secret("127.0.0.1,localhost,::1,.localtest.me") for n in ("NO_PROXY", "no_proxy")}
    values |= {"PYTHONDONTWRITEBYTECODE": Secret("1"), "PYTHONUNBUFFERED": Secret("1")}
    signing: list[Secret] = []
    audiences: list[str] = []
    for name, default, needed in _variables(read):
        value = _value(name, default, needed, secret, provider)
        if value is not None:
            values[name] = value
            if value == secret:
                signing.append(value)
        if re.search(r"AUD", name) and default and not _ADDRESS.search(name):
            audiences.append(default)
    values |= database
    values |= {name: Secret(text) for name, text in given.items()}
    signing += [Secret(text) for name, text in given.items() if _SECRET.search(name.upper())]
    hidden = _hidden(url, secret, database, given)
    return Given(values, tuple(dict.fromkeys(signing)), tuple(audiences), tuple(hidden))


def _hidden(
    url: Secret, secret: Secret, database: Mapping[str, Secret], given: Mapping[str, str]
) -> list[str]:
    """Give what is secret, the longest first: an address holds its password."""
    password = parse(url).password or url
    keyed = [s.reveal() for s in database.values() if password.reveal() in s.reveal()]
    own = [text for text in given.values() if len(text) > _SHORTEST]
    return sorted({*keyed, password.reveal(), secret.reveal(), *own}, key=len, reverse=True)


def refuse_addresses(given: Mapping[str, str], database: Mapping[str, Secret]) -> None:
    """Refuse values that would lead the application away from the branch.

    Raises:
        ArgumentProblem: there is one.
    """
    for name, text in given.items():
        if name in database or re.match(r"postgres(?:ql)?(?:\+\w+)?://", text):
            raise ArgumentProblem(
                "application-database-set",
                f"{name} would lead the application to another database than the throw-away branch.",
                hint="Leave it out: the proof sets it. To prove on a Neon project's tables: --project NAME",
            )


def _variables(read: Environment) -> list[tuple[str, str | None, bool]]:
    """Give each name with what stands for it in code or in an example, and whether it is required."""
    found: dict[str, tuple[str | None, bool]] = {}
    for one in read.reads:
        default, needed = found.get(one.name, (None, False))
        found[one.name] = (default or one.default, needed or one.required)
    for file in read.files:
        if file.is_example:
            for entry in file.entries:
                default, needed = found.get(entry.key, (None, True))
                found[entry.key] = (entry.value.reveal() or default, needed)
    return [(name, default, needed) for name, (default, needed) in found.items()]


def _value(name: str, default: str | None, needed: bool, secret: Secret, provider: str) -> Secret | None:
    upper = name.upper()
    if upper in KEPT or upper.startswith(("PG", "PYTHON")):
        return None
    if _IDENTITY.search(upper) and _ADDRESS.search(upper) and not _PLAIN.search(upper):
        if "JWKS" in upper:
            return Secret(f"{provider}/api/auth/jwks")
        if "DOMAIN" in upper and "://" not in (default or "://"):
            return Secret(provider.removeprefix("http://"))
        return Secret(provider)
    if _OUTSIDE.search(upper) and not re.search(r"JWT|AUTH_SECRET", upper):
        return Secret(_placeholder(upper, None)) if needed else None
    if _SECRET.search(upper) and not _PLAIN.search(upper):
        return secret
    if not needed:
        return None
    return Secret(_placeholder(upper, default))


def _placeholder(name: str, default: str | None) -> str:
    if default and not re.search(r"<|>|your[-_ ]|xxx|\.\.\.", default, re.IGNORECASE):
        return default
    if "REDIS" in name:
        return "redis://127.0.0.1:9/0"
    if re.search(r"ORIGINS|HOSTS", name):
        return '["http://localhost:3000"]'
    if re.search(r"URL|URI|ENDPOINT|HOST|ORIGIN", name):
        return CLOSED
    if "EMAIL" in name or re.search(r"SUPERUSER$|_FROM$", name):
        return "neondba-first@example.com"
    if re.search(r"PORT|MINUTES|SECONDS|DAYS|HOURS|COUNT|SIZE|LIMIT|TTL|MAX|MIN_", name):
        return "30"
    if name.endswith(("ENV", "ENVIRONMENT")):
        return "development"
    if re.search(r"DEBUG|ENABLED?$|^USE_", name):
        return "false"
    return "HS256" if "ALGORITHM" in name else "neondba-placeholder"
