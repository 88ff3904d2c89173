"""Addresses of databases: every URL with a password in it, in any text file of the project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from neondba.core.secret import MASK, Secret
from neondba.project.placeholder import entropy, is_placeholder, is_sequence, is_template
from neondba.project.tree import Tree

_URL: Final = re.compile(
    r"://(?P<user>[^\s:/@'\"`<>|\\]{0,80}):(?P<password>(?:(?!://)[^\s'\"`<>\\]){1,200})@"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[^\s:/?#@'\"`<>,;()\\\]]*)(?::(?P<port>\d+))?(?P<rest>[^\s'\"`<>\\]*)"
)
_WORD: Final = re.compile(r"\b(host|user|password|dbname|port)=([^\s'\"`;,&]+)")
_WORDS: Final = re.compile(
    r"(?:\b(?:host|port|user|password|dbname|sslmode|channel_binding)=[^\s'\"`;,&]+[ \t]+){2,}"
    r"\w+=[^\s'\"`;,&]+"
)
_QUERY: Final = re.compile(
    r"postgres(?:ql)?://(?P<host>[^\s:/?#@'\"`<>]+)(?::\d+)?(?P<rest>/[\w-]*)(?P<query>\?[^\s'\"`<>]*\bpassword=[^\s'\"`<>]*)"
)
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*$")
_STORES: Final = re.compile(
    r"(?:postgres(?:ql)?|mysql|mariadb|mongodb|rediss?|amqps?|cockroachdb|clickhouse|mssql|jdbc|libsql)\b",
    re.IGNORECASE,
)
_LOCAL: Final = re.compile(
    r"localhost|127(?:\.\d+){3}|0\.0\.0\.0|10(?:\.\d+){3}|192\.168(?:\.\d+){2}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2}|"
    r"\[?::1\]?|[^.]*|.*\.(?:local|localhost|internal|test|invalid|lan|svc|localtest\.me|cluster\.local)|host\.docker\.internal",
    re.IGNORECASE,
)
_PROVIDER: Final = re.compile(
    r"(?:\.neon\.(?:tech|build)|\.rds\.amazonaws\.com|\.supabase\.(?:com?|net)|\.render\.com|\.rlwy\.net|\.railway\.app|"
    r"\.upstash\.io|\.cockroachlabs\.cloud|\.mongodb\.net|\.aivencloud\.com|\.ondigitalocean\.com|\.azure\.com|"
    r"\.elephantsql\.com|\.compute(?:-1)?\.amazonaws\.com|\.psdb\.cloud|\.timescale\.com|\.tembo\.io|\.xata\.sh|"
    r"\.prisma\.io|\.redis(?:labs|-cloud)\.com|\.cloudamqp\.com|\.cache\.amazonaws\.com|\.koyeb\.app|\.nile\.tech|"
    r"\.cloudclusters\.net|\.clever-cloud\.com|\.scalingo\.com|\.gcp\.cloud\.es\.io|\.alwaysdata\.net)\.?$",
    re.IGNORECASE,
)
_STAND_IN_HOST: Final = re.compile(
    r"\bx{2,}|123456|abcdef|example|\byour|hostname|placeholder|changeme|\bdummy|\bfake\b|\bsample\b|\bregion\b|\bendpoint\b|"
    r"^(?:db-?)?(?:host|server|url)\b|\.(?:tld|domain)$",
    re.IGNORECASE,
)
_NEON_HOST: Final = re.compile(r"ep-[a-z]+-[a-z]+-(?P<suffix>[a-z0-9]{6,10})(?:-pooler)?\.", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """A URL with a password, as it stands in a file."""

    path: str
    line: int
    scheme: str
    user: str
    password: Secret
    """As written, not percent-decoded."""
    host: str
    port: str
    rest: str
    """Database and parameters, as written."""

    @property
    def is_store(self) -> bool:
        """True for a database, a cache or a queue; false for a web address."""
        return bool(_STORES.match(self.scheme))

    @property
    def is_local(self) -> bool:
        """True when only this machine or its private network reaches the host."""
        return is_local_host(self.host)

    @property
    def is_neon(self) -> bool:
        """True for a host of Neon."""
        return bool(re.search(r"\.neon\.(?:tech|build)$", self.host))

    @property
    def is_pooled(self) -> bool:
        """True when it goes through Neon's pooler."""
        return self.is_neon and self.host.partition(".")[0].endswith("-pooler")

    @property
    def shown(self) -> str:
        """Give the address without the password and without parameters."""
        database = re.split(r"[?#,;)\]}]", self.rest, maxsplit=1)[0]
        user = self.user if re.fullmatch(r"[\w.-]{0,63}", self.user) else MASK
        database = database if re.fullmatch(r"/?[\w.-]{0,63}", database) else ""
        return f"{self.scheme}://{user}:{MASK}@{self.host}{database}"

    @property
    def is_live(self) -> bool:
        """Tell whether the password may open a database that others can reach."""
        password = unquote(self.password.reveal())
        if not self.is_store or self.is_local or _names_a_stand_in(self.host):
            return False
        if _counts_up(self.host) and not _looks_drawn(re.sub(r"^npg_", "", password)):
            return False
        if (
            is_template(self.user)
            or is_template(self.rest.split("?")[0])
            or _known(password, self.user, self.rest)
        ):
            return False
        if _PROVIDER.search(self.host):
            return len(password) >= 6
        public = re.fullmatch(r"(?:\d+\.){3}\d+|(?:[\w-]+\.)+[A-Za-z]{2,}\.?", self.host)
        return bool(public) and len(password) >= 8 and len(_classes(password)) >= 2


@dataclass
class Addresses:
    """All URLs with a password in the files that git tracks or would track."""

    plain = True

    all: list[Address] = field(default_factory=list)

    @classmethod
    def gather(cls, tree: Tree) -> Addresses:
        """Read every text file once."""
        found = cls()
        for path in tree.having(("",), ("://", "password=")):
            found.all += in_text(path, tree.text(path) or "")
        return found

    def live(self) -> Iterator[Address]:
        """Give those whose password may open something."""
        return (address for address in self.all if address.is_live)


def in_text(path: str, text: str) -> Iterator[Address]:
    """Give the URLs with a password in one text."""
    line, upto = 1, 0
    for match in _URL.finditer(text):
        start = match.start()
        scheme = _SCHEME.search(text, max(0, start - 40), start)
        line += text.count("\n", upto, start)
        upto = start
        if scheme:
            user, password, host, port, rest = (
                match[k] or "" for k in ("user", "password", "host", "port", "rest")
            )
            yield Address(path, line, scheme[0], user, Secret(password), host, port, rest)
    if "password=" in text:
        yield from _by_parameters(path, text)


def _by_parameters(path: str, text: str) -> Iterator[Address]:
    """Give the addresses whose password is a parameter: libpq's `host=… password=…`, and JDBC's."""
    for match in _WORDS.finditer(text):
        found = dict(_WORD.findall(match[0]))
        if found.keys() >= {"host", "password"}:
            line = text.count("\n", 0, match.start()) + 1
            rest = f"/{found.get('dbname', '')}"
            user, secret = found.get("user", ""), Secret(found["password"])
            yield Address(path, line, "postgresql", user, secret, found["host"], found.get("port", ""), rest)
    for match in _QUERY.finditer(text):
        given = dict(re.findall(r"[?&](user|password)=([^&\s'\"`<>]*)", match["query"]))
        if given.get("password"):
            line = text.count("\n", 0, match.start()) + 1
            secret = Secret(given["password"])
            yield Address(
                path, line, "postgresql", given.get("user", ""), secret, match["host"], "", match["rest"]
            )


def is_local_host(host: str) -> bool:
    """Tell whether a host name means this machine, a container beside it or a private network."""
    return bool(_LOCAL.fullmatch(host))


def is_stand_in_host(host: str) -> bool:
    """Tell whether a host name only shows where one goes."""
    return _names_a_stand_in(host) or _counts_up(host)


def _names_a_stand_in(host: str) -> bool:
    """Tell whether a host says itself that it is none."""
    return is_template(host) or bool(_STAND_IN_HOST.search(host))


def _counts_up(host: str) -> bool:
    """Tell whether a provider's host has an invented-looking id: a hint, weaker than a random password."""
    if host.endswith((".neon.tech", ".neon.build")):
        neon = _NEON_HOST.match(host)
        return neon is None or is_sequence(neon["suffix"])
    labels = host.lower().split(".")
    if host.endswith(".rds.amazonaws.com"):
        return len(labels) > 5 and (is_sequence(labels[1].removeprefix("cluster-")) or len(labels[1]) < 10)
    if host.endswith(".supabase.co"):
        return len(labels) > 3 and (is_sequence(labels[1]) or len(labels[1]) != 20)
    return False


def _known(password: str, user: str, rest: str) -> bool:
    database = re.split(r"[/?#]", rest.lstrip("/"), maxsplit=1)[0]
    body = re.sub(r"^npg_", "", password)
    return is_placeholder(body) or password.lower() in (user.lower(), database.lower())


def _looks_drawn(password: str) -> bool:
    """Tell whether a password looks drawn by chance; generators give at least nine characters."""
    if len(password) < 9 or is_placeholder(password):
        return False
    return len(_classes(password)) >= 2 and entropy(password) >= 2.8


def _classes(text: str) -> set[str]:
    kinds = {"upper": r"[A-Z]", "lower": r"[a-z]", "digit": r"\d", "sign": r"[^A-Za-z0-9]"}
    return {name for name, pattern in kinds.items() if re.search(pattern, text)}
