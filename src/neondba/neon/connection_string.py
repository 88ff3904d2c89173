"""A connection string in parts: where it points, its variants, a form to print."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import MASK, Secret

_URL: Final = re.compile(
    r"(?P<scheme>postgres(?:ql)?(?:\+[a-z0-9_]+)?)://"
    r"(?:(?P<role>[^:/?#@]*)(?::(?P<password>[^/?#@]*))?@)?"
    r"(?P<host>\[[0-9A-Fa-f:.%]+\]|[^:/?#@,\[\]]*)(?::(?P<port>[0-9]{1,5}))?"
    r"(?:/(?P<database>[^/?#]*))?(?:\?(?P<query>[^#]*))?",
)
_IN_TEXT: Final = re.compile(r"(?i)([a-z][a-z0-9+.-]{0,40}://[^\s:/?#@]*:)\S+(?=@)")
"""Greedy: a password with a bare @ is hidden to its end, at the price of hiding too much."""
_WORD_IN_TEXT: Final = re.compile(r"(?i)\b((?:pg)?password\s*[=:]\s*)('[^']*'|\"[^\"]*\"|[^\s&;,]+)")
_SECRET_PARAMETERS: Final = frozenset({"password", "sslpassword", "passwd"})
_BEFORE: Final = re.compile(
    r"(?:endpoint|project)=(?P<endpoint>[A-Za-z0-9-]+)[;$](?P<password>.*)", re.DOTALL
)
_ASKED: Final = re.compile(r"(?:^|(?<=\s))(?:endpoint|project)=(\S+)\s*")
_NEON: Final = re.compile(r"\.(?P<region>[a-z0-9-]+\.(?:aws|azure|gcp))\.neon\.(?:tech|build)$")
POOLER: Final = "-pooler"


class Platform(StrEnum):
    """Who runs the host."""

    NEON = "neon"
    LOCAL = "local"
    OTHER = "other"


@dataclass(frozen=True)
class ConnectionString:
    """A `postgresql://` URL, taken apart; `render()` puts it together again."""

    scheme: str
    role: str | None
    password: Secret | None
    host: str
    port: int | None
    database: str | None
    parameters: tuple[tuple[str, str], ...] = ()
    prefixed: bool = False
    """True to write the endpoint of `options` before the password: for who can name it nowhere else."""

    @property
    def platform(self) -> Platform:
        """Say who runs the host."""
        if _NEON.search(self.host):
            return Platform.NEON
        name = self.host.strip("[]")
        local = name in ("localhost", "127.0.0.1", "::1", "") or name.endswith(
            (".localhost", ".localtest.me")
        )
        return Platform.LOCAL if local else Platform.OTHER

    @property
    def endpoint_id(self) -> str | None:
        """Give the Neon endpoint id from the host name or from `options=endpoint=…`."""
        asked = re.search(r"(?:^|\s)(?:endpoint|project)=(\S+)", self.parameter("options") or "")
        label = asked.group(1) if asked else self.host.partition(".")[0]
        return label.removesuffix(POOLER) if asked or label.startswith("ep-") else None

    @property
    def region(self) -> str | None:
        """Give the Neon region id, such as `aws-us-east-2`."""
        found = _NEON.search(self.host)
        if not found:
            return None
        region, _, cloud = found["region"].rpartition(".")
        return f"{cloud}-{region}"

    @property
    def is_pooled(self) -> bool:
        """True when it goes through Neon's pooler."""
        asked = re.search(r"(?:^|\s)(?:endpoint|project)=(\S+)", self.parameter("options") or "")
        label = asked.group(1) if asked else self.host.partition(".")[0]
        return label.endswith(POOLER) and self.endpoint_id is not None

    def parameter(self, name: str) -> str | None:
        """Give a query parameter; the last one counts, as in libpq."""
        return dict(self.parameters).get(name)

    def pooled(self) -> ConnectionString:
        """Give the same, through the pooler."""
        return self if self.is_pooled else self._with_endpoint(lambda label: label + POOLER)

    def direct(self) -> ConnectionString:
        """Give the same, past the pooler."""
        return self._with_endpoint(lambda label: label.removesuffix(POOLER)) if self.is_pooled else self

    def with_role(self, role: str, password: Secret | None) -> ConnectionString:
        """Give the same for another role."""
        return replace(self, role=role, password=password)

    def with_database(self, database: str) -> ConnectionString:
        """Give the same for another database."""
        return replace(self, database=database)

    def with_driver(self, driver: str | None) -> ConnectionString:
        """Give the same in SQLAlchemy's spelling for a driver; `None` gives the plain URL.

        asyncpg takes neither `sslmode` nor `channel_binding` nor `options`: the first becomes `ssl`, the
        second goes, an endpoint goes before the password. On the way back `ssl` becomes `sslmode` again,
        and the endpoint an option.
        """
        base = "postgresql" if driver or "+" in self.scheme else self.scheme
        scheme = f"{base}+{driver}" if driver else base
        if driver == "asyncpg":
            kept = [
                (("ssl" if k == "sslmode" else k), v) for k, v in self.parameters if k != "channel_binding"
            ]
        elif self.scheme.endswith("+asyncpg"):
            kept = [(("sslmode" if k == "ssl" else k), v) for k, v in self.parameters]
        else:
            kept = list(self.parameters)
        return replace(self, scheme=scheme, parameters=tuple(kept), prefixed=driver == "asyncpg")

    def render(self) -> Secret:
        """Give the whole string, with the password."""
        return Secret(self._text(self.password.reveal() if self.password else None, hide=False))

    def masked(self) -> str:
        """Give the string with `***` for the password: safe to print."""
        return self._text(MASK if self.password else None, hide=True)

    def _with_endpoint(self, change: Callable[[str], str]) -> ConnectionString:
        options = self.parameter("options") or ""
        asked = re.search(r"(?:^|(?<=\s))(endpoint|project)=(\S+)", options)
        if asked:
            new = f"{options[: asked.start()]}{asked[1]}={change(asked[2])}{options[asked.end() :]}"
            kept = tuple((k, new if k == "options" else v) for k, v in self.parameters)
            return replace(self, parameters=kept)
        if self.endpoint_id is None:
            raise ArgumentProblem(
                "not-a-neon-host",
                f"{self.host or 'This connection'} is not a Neon endpoint, so it has no pooler to switch.",
                hint="Use a host name that starts with ep-.",
            )
        label, dot, rest = self.host.partition(".")
        return replace(self, host=change(label) + dot + rest)

    def _endpoint_before(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """Give what is written before the password, and the parameters that are left."""
        options = self.parameter("options") or ""
        asked = _ASKED.search(options)
        if asked is None:
            return "", self.parameters
        rest = (options[: asked.start()] + options[asked.end() :]).strip()
        # A password in clear, over TLS, cannot be bound to the channel.
        kept = [(k, rest if k == "options" else v) for k, v in self.parameters if k != "channel_binding"]
        return f"endpoint={asked[1]};", tuple((k, v) for k, v in kept if v or k != "options")

    def _text(self, password: str | None, *, hide: bool) -> str:
        who, before, parameters = "", "", self.parameters
        if self.prefixed and self.role is not None and password is not None:
            before, parameters = self._endpoint_before()
        if self.role is not None:
            colon = (
                "" if password is None else f":{before}" + (password if hide else quote(password, safe=""))
            )
            who = f"{quote(self.role, safe='')}{colon}@"
        port = f":{self.port}" if self.port is not None else ""
        path = f"/{quote(self.database, safe='')}" if self.database is not None else ""
        shown = [(k, MASK if hide and k.lower() in _SECRET_PARAMETERS else v) for k, v in parameters]
        query = "?" + urlencode(shown, quote_via=quote, safe="*") if shown else ""
        return f"{self.scheme}://{who}{self.host}{port}{path}{query}"


def parse(text: str | Secret) -> ConnectionString:
    """Take a connection string apart.

    Raises:
        ArgumentProblem: it is not one; the message does not repeat it.
    """
    raw = text.reveal() if isinstance(text, Secret) else text
    found = _URL.fullmatch(raw.strip())
    port = int(found["port"]) if found and found["port"] else None
    if not found or (port is not None and port > 65535):
        raise ArgumentProblem(
            "connection-string-invalid",
            "This is not a connection string that can be read.",
            hint="It looks like postgresql://role:password@host/database?sslmode=require; "
            "percent-encode @ : / ? # in the password.",
        )
    role, password = found["role"], found["password"]
    return _with_option(
        ConnectionString(
            scheme=found["scheme"],
            role=unquote(role) if role is not None else None,
            password=Secret(unquote(password)) if password is not None else None,
            host=found["host"],
            port=port,
            database=unquote(found["database"]) if found["database"] is not None else None,
            parameters=tuple(parse_qsl((found["query"] or "").replace("+", "%2B"), keep_blank_values=True)),
        )
    )


def _with_option(url: ConnectionString) -> ConnectionString:
    """Name the endpoint that stands before a password in `options`, where all look for it."""
    named = _BEFORE.fullmatch(url.password.reveal()) if url.password else None
    if named is None or url.parameter("options") is not None:
        return url
    asked = ("options", f"endpoint={named['endpoint']}")
    return replace(
        url, password=Secret(named["password"]), parameters=(asked, *url.parameters), prefixed=True
    )


def mask_text(text: str) -> str:
    """Replace the passwords of every connection string inside a text by `***`."""
    return _WORD_IN_TEXT.sub(rf"\1{MASK}", _IN_TEXT.sub(rf"\1{MASK}", text))
