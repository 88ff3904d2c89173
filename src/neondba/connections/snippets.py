"""The change to make, as code or as a line of `.env`, in the project's own names where it has them."""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from neondba.connections.explain_text import Hit
from neondba.connections.snippet_texts import KEYWORDS, TEXTS, URL_CHANGES
from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.neon.connection_string import ConnectionString, mask_text, parse

if TYPE_CHECKING:
    from neondba.connections.explain_places import Project
    from neondba.project.addresses import Address
    from neondba.project.engines import Engine

_SIGNS: Final = {
    "prisma": r"prisma|\bP[1-6]\d{3}\b",
    "sqlalchemy": r"sqlalchemy|sqlmodel|queuepool",
    "asyncpg": r"asyncpg",
    "psycopg": r"psycopg|libpq|connection to server (?:at|on)",
    "node": r"node_modules|\bpg-pool\b|node:internal|neon\(\)|drizzle|\.[mc]?[tj]sx?\b",
    "go": r"\bpgx|pgconn|\bpq: |\.go:\d|dial tcp",
}
_PACKAGES: Final = {
    "sqlalchemy": ("sqlalchemy", "sqlmodel"),
    "prisma": ("@prisma/client", "prisma"),
    "asyncpg": ("asyncpg",),
    "psycopg": ("psycopg", "psycopg2", "psycopg2-binary"),
    "node": ("pg", "@neondatabase/serverless", "drizzle-orm"),
    "go": ("github.com/jackc/pgx/v5", "github.com/lib/pq"),
}
_NONE: Final = ConnectionString(
    "postgresql",
    "ROLE",
    Secret("PASSWORD"),
    "ep-NAME.REGION.aws.neon.tech",
    None,
    "DATABASE",
    (("sslmode", "require"), ("channel_binding", "require")),
)


def snippet(hit: Hit, text: str, project: Project | None) -> str | None:
    """Give the change for an error, or `None` where none is kept for this stack."""
    name = hit.entry.snippet
    if name in URL_CHANGES:
        return _url_line(hit, text, project)
    used = stacks(text, project)
    if name in KEYWORDS and project:
        for engine in project.engines:
            added = _added(name, engine.kind, text)
            written = with_keywords(engine, added) if added else None
            if written:
                return f"# {engine.path}:{engine.line}\n{written}"
    texts = TEXTS.get(name, {})
    fitting = {stack: texts[stack] for stack in used if stack in texts} or dict(list(texts.items())[:1])
    shown = next(iter(fitting.values()), None)
    return shown.replace("DATABASE_URL", _variable(project)) if shown else None


def _added(name: str, kind: str, text: str) -> Mapping[str, str] | None:
    by_kind = KEYWORDS[name]
    under = f"{kind}+asyncpg" if "asyncpg" in text.lower() else kind
    return by_kind.get(under, by_kind.get(kind))


def stacks(text: str, project: Project | None) -> list[str]:
    """Give what the text speaks of; then what the project uses."""
    said = [stack for stack, sign in _SIGNS.items() if re.search(sign, text, re.IGNORECASE)]
    if project is None:
        return said
    used = [stack for stack, names in _PACKAGES.items() if any(map(project.mentions, names))]
    both = [stack for stack in said if stack in used]
    return both or [*said, *used]


def _variable(project: Project | None) -> str:
    reads = project.reads if project else []
    names = [read.name for read in reads]
    return "DATABASE_URL" if not names or "DATABASE_URL" in names else names[0]


def with_keywords(engine: Engine, added: Mapping[str, str]) -> str | None:
    """Write the call with these keywords; `None` where it has them all."""
    if "pool_pre_ping" in added and engine.pool_class == "NullPool":
        return None  # It keeps no connection that could be stale.
    call = copy.deepcopy(engine.call)
    for name, text in added.items():
        value = ast.parse(text, mode="eval").body
        there = next((keyword.value for keyword in call.keywords if keyword.arg == name), None)
        if there is None and name in engine.keywords:
            continue  # It comes from a dictionary: **settings.
        if there is None:
            call.keywords.append(ast.keyword(arg=name, value=value))
        elif isinstance(there, ast.Dict) and isinstance(value, ast.Dict):
            known = {ast.dump(key) for key in there.keys if key}
            new = [
                each
                for each in zip(value.keys, value.values, strict=True)
                if each[0] and ast.dump(each[0]) not in known
            ]
            there.keys += [key for key, _ in new]
            there.values += [item for _, item in new]
    if ast.dump(call) == ast.dump(engine.call):
        return None
    one_line = mask_text(ast.unparse(call))
    if len(one_line) <= 88:
        return one_line
    head = mask_text(ast.unparse(call.func))
    parts = [ast.unparse(each) for each in call.args]
    parts += [
        f"{k.arg}={ast.unparse(k.value)}" if k.arg else f"**{ast.unparse(k.value)}" for k in call.keywords
    ]
    return mask_text(head + "(\n" + "".join(f"    {part},\n" for part in parts) + ")")


def checked_by(engine: Engine) -> bool:
    """Tell whether a pool tests a connection before it hands it out."""
    said = engine.keywords.get("pool_pre_ping") or engine.keywords.get("check")
    return said is not None and not (isinstance(said, ast.Constant) and not said.value)


def _url_line(hit: Hit, text: str, project: Project | None) -> str:
    change = URL_CHANGES[hit.entry.snippet]
    for address in _addresses(hit, text, project):
        written = f"{address.scheme}://{address.user}:x@{address.host}{address.rest}"
        if address.port:
            written = written.replace(f"@{address.host}", f"@{address.host}:{address.port}", 1)
        try:
            changed = change(parse(written), hit.name)
        except ArgumentProblem:
            continue
        name = project.variable_of(address) if project else None
        if name:
            return f'# {address.path}:{address.line}\n{name}="{changed.masked()}"'
    sample = _NONE
    if re.fullmatch(r"\w+", hit.name) and sample.parameter(hit.name) is None:
        sample = replace(sample, parameters=(*sample.parameters, (hit.name, "…")))
    before, after = sample, change(sample, hit.name)
    name = _variable(project)
    was = [f'# not: {name}="{before.masked()}"'] if before != after else []
    return "\n".join([*was, f'{name}="{after.masked()}"'])


def _addresses(hit: Hit, text: str, project: Project | None) -> list[Address]:
    if project is None:
        return []
    named = [each for each in project.addresses if each.host and each.host in text]
    return named or [each for each in project.addresses if hit.name in each.rest]
