"""Where a request of the serverless driver wants to go: its connection string, read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from neondba.core.secret import Secret
from neondba.local.proxy.messages import PROTOCOL_3, Startup
from neondba.local.proxy.startup import NO_ENDPOINT, POOLER, prefixed, read_wish
from neondba.local.proxy.startup import Refusal as ProxyRefusal
from neondba.local.routing import Moment

PASSED_ON: Final = ("application_name",)


class Refused(Exception):
    """The request is answered with an error."""

    def __init__(self, message: str, *, status: int = 400, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class Destination:
    """Whom to ask, as whom."""

    endpoint_id: str
    """Without `-pooler`: over HTTP every connection is pooled."""
    role: str
    password: Secret
    parameters: dict[str, str]
    """What the server is told."""
    moment: Moment | None = None


def read(connection_string: str) -> Destination:
    """Read a connection string; the endpoint may stand in host, options or password.

    Raises:
        Refused: something is missing in it, or contradicts itself.
    """
    url = _parsed(connection_string)
    role, database = unquote(url.username or ""), unquote(url.path.removeprefix("/"))
    query = dict(parse_qsl(url.query))
    given = {name: query[name] for name in PASSED_ON if name in query}
    parameters = {"user": role, "dbname": database, **given}
    if any("\0" in value for value in parameters.values()):
        raise Refused("invalid connection string: it holds a NUL character")
    password = unquote(url.password or "")
    startup = Startup(PROTOCOL_3, {"user": role, "options": query.get("options", "")})
    try:
        wish = read_wish(startup, url.hostname)
    except ProxyRefusal as refusal:
        raise Refused(str(refusal)) from None
    label = wish.label
    if label is None and (found := prefixed(password)):
        label, password = found
    if label is None:
        raise Refused(NO_ENDPOINT)
    return Destination(label.removesuffix(POOLER), role, Secret(password), parameters, wish.moment)


def _parsed(text: str) -> SplitResult:
    try:
        url = urlsplit(text)
        missing = {
            "hostname": not url.hostname,
            "username": not url.username,
            "database name": not url.path.strip("/"),
        }
    except ValueError:
        raise Refused("invalid connection string") from None
    if url.scheme not in ("postgres", "postgresql"):
        raise Refused("incorrect scheme")
    for name, absent in missing.items():
        if absent:
            raise Refused(f"missing {name}")
    if not url.password:
        raise Refused("missing authentication credentials: password")
    return url
