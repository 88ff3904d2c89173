"""Findings on functions that run with their owner's rights, and on those that everybody may call."""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.access.audit_public import EVERYBODY
from neondba.access.audit_results import Danger, RoleFinding
from neondba.access.audit_who import Row, Who, listed, read, shown


def mutable_paths(who: Who) -> Iterator[RoleFinding]:
    """Find SECURITY DEFINER functions whose caller decides what their names mean."""
    for row in who.facts.of("definers"):
        if row["fixed"] or not row["callers"]:
            continue
        why, callers = _why_mutable(who, row)
        if not why:
            continue
        strong = _strong(who, row)
        yield RoleFinding(
            code="definer-path-mutable",
            danger=Danger.HIGH if strong and callers else Danger.MEDIUM,
            said=f"{listed(callers or row['callers'], 4)} can have {row['name']} run code of their own as "
            f"{row['owner']}{f' ({strong})' if strong else ''}: it is SECURITY DEFINER and {why}.",
            roles=(*(callers or row["callers"]), row["owner"]),
            evidence=(
                read(
                    "pg_proc.prosecdef is true, proconfig has "
                    + (f"search_path={row['path']}." if row["path"] is not None else "no search_path.")
                ),
                shown(f"has_function_privilege is true for {listed(row['callers'])}."),
            ),
            mend=(f"alter {row['kind']} {row['name']} set search_path = {_safe_path(row)};",),
            then="Names in its body that have no schema are looked up there and nowhere else: read the body "
            "first, and write the schema before names from others.",
        )


def open_definers(who: Who) -> Iterator[RoleFinding]:
    """Find functions with their owner's rights that every role may call."""
    for row in who.facts.of("definers"):
        callers = [
            role
            for role in row["callers"]
            if row["for_all"] and who.keeps(role, row["name"], row["owner"], "execute") is None
        ]
        if not callers:
            continue
        yield RoleFinding(
            code="definer-open-to-all",
            danger=Danger.MEDIUM,
            said=f"Every role may call {row['name']}, which acts with the rights of {row['owner']}.",
            roles=(EVERYBODY, row["owner"]),
            evidence=(
                read("PUBLIC has EXECUTE: PostgreSQL's default for a new function, if nobody revoked it."),
                shown(f"has_function_privilege is true for {listed(callers)}, by PUBLIC alone."),
            ),
            mend=(
                f"revoke execute on {row['kind']} {row['name']} from public;",
                f"(and for each role that needs it: grant execute on {row['kind']} {row['name']} to ROLE;)",
            ),
            then=f"{listed(callers)} can no longer call it, directly or in a policy or view that does.",
        )


def open_functions(who: Who) -> Iterator[RoleFinding]:
    """Find out how many functions every role may call by default."""
    definers = {row["name"] for row in who.facts.of("definers")}
    names = sorted(
        {
            grant.name
            for grant in who.grants
            if grant.kind == "function" and grant.grantee == "" and grant.name not in definers
        }
    )
    if not names:
        return
    yield RoleFinding(
        code="functions-open-to-all",
        danger=Danger.LOW,
        said=f"Every role may call {len(names)} functions ({listed(names, 3)}): PostgreSQL grants EXECUTE to "
        "PUBLIC by default. They run with the caller's own rights.",
        roles=(EVERYBODY,),
        evidence=(read("pg_proc.proacl is empty, or names PUBLIC."),),
        mend=(
            f"alter default privileges for role {who.quoted(who.owner)} revoke execute on functions from "
            "public;",
        ),
        then="Functions that are there stay open; new ones need a grant.",
    )


def _why_mutable(who: Who, row: Row) -> tuple[str, list[str]]:
    """Say why the caller decides, and which callers do; nothing where the path is safe."""
    if row["path"] is None:
        return "has no search_path of its own, so the caller's counts", list(row["callers"])
    for schema in _schemas(row["path"]):
        makers = [
            each["role"]
            for each in who.facts.of("schemas")
            if each["schema"] == schema and each["can_create"] and each["role"] in row["callers"]
        ]
        makers = [role for role in makers if row["owner"] not in who.has_rights_of(role)]
        if makers:
            return f"looks names up in schema {schema}, where they may make objects", makers
    return "", []


def _schemas(path: str) -> list[str]:
    found = re.findall(r'"((?:[^"]|"")*)"|([^\s,"]+)', path)
    return [quoted.replace('""', '"') if quoted else plain for quoted, plain in found]


def _safe_path(row: Row) -> str:
    schema = row["name"].partition("(")[0].rpartition(".")[0]
    return f"pg_catalog, {schema}, pg_temp"


def _strong(who: Who, row: Row) -> str:
    if row["owner_superuser"]:
        return "a superuser"
    if row["owner_bypasses"]:
        return "which passes row-level security by"
    return listed(who.strong(row["owner"])) if row["owner"] in who.roles else ""
