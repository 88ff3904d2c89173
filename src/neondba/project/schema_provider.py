"""Recognise tables that an authentication provider owns."""

from __future__ import annotations

from neondba.project.schema_table import Table

BETTER_AUTH, AUTH_JS = "Better Auth", "Auth.js"
SIGNS: tuple[tuple[str, str, frozenset[str]], ...] = (
    (BETTER_AUTH, "session", frozenset({"token", "expiresat", "userid"})),
    (BETTER_AUTH, "account", frozenset({"accountid", "providerid"})),
    (BETTER_AUTH, "verification", frozenset({"identifier", "value", "expiresat"})),
    (BETTER_AUTH, "jwks", frozenset({"publickey", "privatekey"})),
    (AUTH_JS, "session", frozenset({"sessiontoken", "expires"})),
    (AUTH_JS, "account", frozenset({"provideraccountid", "provider"})),
    (AUTH_JS, "verificationtoken", frozenset({"token", "expires"})),
)
"""Provider, table, and the columns (without case and underscores) that give it away."""
PLUGINS = frozenset(
    {"organization", "member", "invitation", "team", "teammember", "organizationrole", "twofactor", "passkey",
     "oauthapplication", "oauthclient", "oauthaccesstoken", "oauthrefreshtoken", "oauthconsent", "apikey",
     "ratelimit", "ssoprovider", "devicecode", "walletaddress", "subscription"}
)  # fmt: skip
"""Tables of Better Auth's plugins."""
SCHEMAS = {"auth": "Supabase Auth", "neon_auth": "Neon Auth", "storage": "Supabase Storage"}


def provider_of_tables(tables: list[Table]) -> None:
    """Note on each table which provider owns it."""
    present = set()
    for table in tables:
        table.provider = SCHEMAS.get(table.name.schema or "") or _by_signs(table)
        if table.provider:
            present.add(table.provider)
    for table in tables:
        if table.provider:
            continue
        name, columns = plain(table.name.name), {plain(c) for c in table.columns}
        if name == "user" and "emailverified" in columns:
            table.provider = next((p for p in (BETTER_AUTH, AUTH_JS) if p in present), None)
        elif BETTER_AUTH in present and name in PLUGINS and _is_plugin(name, columns):
            table.provider = BETTER_AUTH


def plain(name: str) -> str:
    """Bring names of one thing together: `team_members`, `teamMember`."""
    joined = name.lower().replace("_", "").replace("-", "")
    return joined if joined == "jwks" else joined.removesuffix("s")


def _by_signs(table: Table) -> str | None:
    names = {plain(table.name.name), plain(table.label)}
    columns = {c.lower().replace("_", "") for c in table.columns}
    return next((provider for provider, sign, has in SIGNS if sign in names and has <= columns), None)


def _is_plugin(name: str, columns: set[str]) -> bool:
    if name in ("subscription", "team", "member"):
        return {
            "subscription": {"referenceid"},
            "team": {"organizationid"},
            "member": {"organizationid", "role"},
        }[name] <= columns
    return True
