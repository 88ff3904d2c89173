"""The variables that a program reads for its database, and what each is to hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from neondba.project.environment import Environment
from neondba.project.places import is_document, is_example, is_generated, is_test
from neondba.project.settings_classes import SettingsClasses
from neondba.project.tree import Tree


class Use(StrEnum):
    """What a variable is to hold."""

    POOLED = "pooled"
    DIRECT = "direct"
    HOST = "host"
    DIRECT_HOST = "direct host"
    PORT = "port"
    USER = "user"
    PASSWORD = "password"  # noqa: S105 - the name of a kind
    DATABASE = "database"
    SSLMODE = "sslmode"
    CHANNEL_BINDING = "channel binding"

    @property
    def is_url(self) -> bool:
        """True for a whole connection string."""
        return self in (Use.POOLED, Use.DIRECT)


@dataclass(frozen=True)
class Variable:
    """A variable for the database, and where it is read."""

    name: str
    use: Use
    path: str
    line: int
    scheme: str = ""
    """The scheme that its default or an example shows: `postgresql+asyncpg`; empty where none does."""
    from_class: str = ""
    """Name of the settings class whose field it is."""


_DB: Final = r"(?:DATABASE|DB|POSTGRES|POSTGRESQL|PG|PSQL|NEON|SQLALCHEMY|SQL)"
_OTHER: Final = re.compile(
    r"MONGO|REDIS|MYSQL|MARIADB|SQLITE|CLICKHOUSE|ELASTIC|CASSANDRA|TURSO|LIBSQL|SUPABASE_URL|QDRANT|CHROMA|VECTOR_?DB|"
    r"KAFKA|RABBIT|AMQP|D1_|SHADOW|_API_|FIREBASE|NEON_AUTH|JWKS|TEST|_CI\b|SENTRY"
)
_URL: Final = re.compile(
    rf"(?:\w+_)?(?:{_DB}_)?(?:DATABASE|DB|POSTGRES|POSTGRESQL|PG|PSQL|NEON|SQLALCHEMY)(?:_\w+)?_?"
    r"(?:URL|URI|DSN|CONN|CONNECTION|CONNECTION_STRING|CONNECTION_URL|CONNSTR|CONN_STR|CONN_STRING)(?:_\w+)?"
    r"|DIRECT_URL|DSN|PG_?URL|GOOSE_DBSTRING|DBSTRING"
)
_DIRECT: Final = re.compile(r"UNPOOLED|DIRECT|NON_?POOL|MIGRAT|GOOSE")
_PART: Final = re.compile(
    rf"(?:\w+_)?{_DB}_?(?P<part>[A-Z]+(?:_[A-Z]+)?)|(?P<go>DB_?(?:HOST|PORT|USER|PASS\w*|NAME))"
)
_PARTS: Final = {
    **dict.fromkeys(("HOST", "SERVER", "HOSTNAME", "ADDRESS", "ADDR"), Use.HOST),
    **dict.fromkeys(("HOST_UNPOOLED",), Use.DIRECT_HOST),
    "PORT": Use.PORT,
    **dict.fromkeys(("USER", "USERNAME", "USR", "LOGIN"), Use.USER),
    **dict.fromkeys(("PASSWORD", "PASS", "PASSWD", "PWD"), Use.PASSWORD),
    **dict.fromkeys(("DB", "DATABASE", "NAME", "DBNAME", "DB_NAME", "DATABASE_NAME"), Use.DATABASE),
    **dict.fromkeys(("SSLMODE", "SSL_MODE"), Use.SSLMODE),
    **dict.fromkeys(("CHANNELBINDING", "CHANNEL_BINDING"), Use.CHANNEL_BINDING),
}
_SCRIPTS: Final = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts")
_BY_CALL: Final = re.compile(
    r"(?:\benv(?:<\w+>)?|[cC]onfig\w*(?:\.\w+)?\.(?:get|getOrThrow)(?:<[^>\n]*>)?|Deno\.env\.get|(?:os|syscall)\.(?:Getenv|LookupEnv)"
    r"|\b(?:getEnv|GetEnv|getenv|MustGetenv|mustEnv|env\.(?:db|db_url|str|get|database_url))|viper\.Get\w*|viper\.BindEnv)"
    r"\(\s*[\"'`](?P<name>[A-Za-z]\w*)[\"'`](?:\s*,\s*[\"'`](?P<default>[^\"'`\n]*)[\"'`])?"
)
_BY_TAG: Final = re.compile(r"`[^`\n]*\b(?:env|envconfig|mapstructure)\s*:\s*\"(?P<name>[A-Za-z]\w*)[^`\n]*`")
_BUN: Final = re.compile(r"Bun\.env\.(?P<name>[A-Z]\w*)")
_DESTRUCTURED: Final = re.compile(r"\{(?P<names>[^{}]*)\}\s*=\s*process\.env")
_IMPLIED: Final = re.compile(
    r"dj_database_url\.(?:config|parse)\(\s*(?!os|env|config)|env\.db(?:_url)?\(\s*\)"
)


def use_of(name: str) -> Use | None:
    """Say what a variable of this name is to hold; `None` for one that is not the database's."""
    plain = name.upper()
    if _OTHER.search(plain):
        return None
    if _URL.fullmatch(plain):
        return Use.DIRECT if _DIRECT.search(plain) else Use.POOLED
    part = _PART.fullmatch(plain)
    return _PARTS.get(part["part"]) if part and part["part"] else None


def variables(
    folder: str, tree: Tree, environment: Environment, settings: SettingsClasses
) -> tuple[Variable, ...]:
    """Give the variables that a folder's code reads; where it reads none, those of its example file."""
    found = [v for v in _read(tree, environment, settings) if inside(v.path, folder)]
    found = [v for v in found if not (is_test(v.path) or is_document(v.path) or is_generated(v.path))]
    shown = [v for v in _shown(environment) if inside(v.path, folder)]
    # What stands only in .env may be ours: the example tells what the program wants.
    examples = _whole([v for v in shown if is_example(v.path)])
    schemes = {v.name: v.scheme for v in reversed([*shown, *found]) if v.scheme}
    schemes |= {v.name: v.scheme for v in reversed(shown) if v.scheme}
    named: dict[str, Variable] = {}
    for each in _whole(found) or examples or _whole(shown):
        if each.name not in named or (each.from_class and not named[each.name].from_class):
            named[each.name] = replace(each, scheme=schemes.get(each.name, ""))
    return tuple(named.values())


def _scheme(value: str | None) -> str:
    found = re.match(r"(postgres(?:ql)?(?:\+\w+)?)://", value or "")
    return found[1] if found else ""


def inside(path: str, folder: str) -> bool:
    """Tell whether a path lies in a folder; everything lies in the root."""
    return not folder or path == folder or path.startswith(folder + "/")


def _whole(found: list[Variable]) -> list[Variable]:
    """Drop parts that make no address: without a host, or with neither user nor password."""
    uses = {v.use for v in found}
    if Use.HOST in uses and uses & {Use.USER, Use.PASSWORD}:
        return found
    return [v for v in found if v.use.is_url]


def _read(tree: Tree, environment: Environment, settings: SettingsClasses) -> Iterator[Variable]:
    of_class = {(c.path, c.name): c for c in settings.all}
    for read in environment.reads:
        name = read.name
        own = of_class.get((read.path, read.from_class))
        if own is not None:
            field = next((f for f in own.fields if f.upper() == name), name)
            alias = own.fields.get(field, field)
            name = (own.prefix + field).upper() if alias == field else alias
        use = use_of(name)
        if use is not None:
            yield Variable(name, use, read.path, read.line, _scheme(read.default), read.from_class)
    for path in tree.having((*_SCRIPTS, ".go", ".py"), ("env", "Env", "viper", "onfig", "dj_database_url")):
        yield from _in_text(path, tree.text(path) or "")


def _in_text(path: str, text: str) -> Iterator[Variable]:
    for name, position, default in _named(path, text):
        start = text.rfind("\n", 0, position) + 1
        aside = text[start:position].lstrip().startswith(("//", "#", "* ", "/*"))
        use = None if aside else use_of(name)
        if use is not None:
            yield Variable(name, use, path, text.count("\n", 0, position) + 1, _scheme(default))


def _named(path: str, text: str) -> Iterator[tuple[str, int, str | None]]:
    """Give the names that a text reads, where, and the default of each."""
    for match in _BY_CALL.finditer(text):
        yield match["name"].upper(), match.start(), match["default"]
    for match in _BY_TAG.finditer(text) if path.endswith(".go") else ():
        yield match["name"].upper(), match.start(), None
    for match in _BUN.finditer(text):
        yield match["name"], match.start(), None
    for match in _DESTRUCTURED.finditer(text):
        yield from (
            (name, match.start(), None) for name in re.findall(r"\b[A-Z][A-Z0-9_]+\b", match["names"])
        )
    for match in _IMPLIED.finditer(text) if path.endswith(".py") else ():
        yield "DATABASE_URL", match.start(), None


def _shown(environment: Environment) -> Iterator[Variable]:
    """Give what files of variables name: examples first, since they are meant to be copied."""
    for file in sorted(environment.files, key=lambda f: not f.is_example):
        for entry in () if file.is_test else file.entries:
            use = use_of(entry.key)
            if use is not None:
                yield Variable(entry.key, use, file.path, entry.line, _scheme(entry.value.reveal()))
