"""Tables of Better Auth and Neon Auth, whose personal columns are known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from neondba.postgres.masking.columns import Column

SIGNS: Final = {
    "session": {"token", "expiresat", "userid"},
    "account": {"accountid", "providerid"},
    "verification": {"identifier", "value", "expiresat"},
}
"""Columns that give a table away, in a schema that has two of them."""
KNOWN: Final[Mapping[str, Mapping[str, str]]] = {
    "user": {"name": "name", "email": "email", "image": "url", "phonenumber": "phone", "username": "handle",
             "displayusername": "handle", "twofactorsecret": "token", "twofactorbackupcodes": "token",
             "banreason": "text", "firstname": "name", "lastname": "name"},
    "account": {"accountid": "token", "accesstoken": "token", "refreshtoken": "token", "idtoken": "token",
                "password": "token"},
    "session": {"token": "token", "ipaddress": "ip", "useragent": "text"},
    "verification": {"identifier": "identity", "value": "token"},
    "jwks": {"privatekey": "token", "publickey": "token"},
    "twofactor": {"secret": "token", "backupcodes": "token"},
    "passkey": {"name": "handle", "publickey": "token", "credentialid": "token"},
    "apikey": {"key": "token", "start": "token", "name": "text"},
    "invitation": {"email": "email"},
    "member": {},
    "oauthapplication": {"clientsecret": "token", "clientid": "token"},
    "oauthclient": {"clientsecret": "token", "clientid": "token"},
    "oauthaccesstoken": {"accesstoken": "token", "refreshtoken": "token", "token": "token"},
    "oauthrefreshtoken": {"token": "token"},
    "ssoprovider": {"oidcconfig": "token", "samlconfig": "token"},
    "devicecode": {"devicecode": "token", "usercode": "token"},
    "walletaddress": {"address": "token"},
}  # fmt: skip
"""Table and column, without case, underscores and plural, to kind."""
NEON_AUTH: Final = "neon_auth"


def plain(name: str) -> str:
    """Bring names of one thing together: `users_sync`, `UserSync`."""
    joined = name.lower().replace("_", "").replace("-", "")
    return joined if joined == "jwks" else joined.removesuffix("s")


def of_provider(columns: list[Column]) -> dict[str, str]:
    """Give the kinds of the columns that a provider's own tables hold, by where they are."""
    tables: dict[tuple[str, str], set[str]] = {}
    for column in columns:
        tables.setdefault(column.of, set()).add(plain_column(column.column))
    signed: dict[str, int] = {}
    for (schema, table), has in tables.items():
        sign = SIGNS.get(_own(table))
        signed[schema] = signed.get(schema, 0) + (sign is not None and sign <= has)
    found = {}
    for column in columns:
        if signed.get(column.schema_name, 0) >= 2 or column.schema_name == NEON_AUTH:
            kind = KNOWN.get(_own(column.table), {}).get(plain_column(column.column))
            if kind is not None:
                found[column.where] = kind
    return found


def plain_column(name: str) -> str:
    """Write a column's name without case and underscores."""
    return name.lower().replace("_", "")


def _own(table: str) -> str:
    """Take off a prefix that a project gives to these tables: `auth_sessions`, `ba_user`."""
    name = plain(table)
    if name in KNOWN:
        return name
    last = plain(table.lower().replace("-", "_").rpartition("_")[2])
    return last if last in KNOWN else name
