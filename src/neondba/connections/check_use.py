"""Whether pooled or direct fits what the connection is for, and what the string asks at the start."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from neondba.connections.check_results import CheckLine, fault, not_checked, note, ok
from neondba.neon.connection_string import ConnectionString, Platform

Use = Literal["app", "migration", "serverless", "notify"]
PASSED_ON: Final = frozenset(
    {"client_encoding", "datestyle", "timezone", "standard_conforming_strings", "application_name",
     "extra_float_digits"}
)  # fmt: skip
_SETTING: Final = re.compile(r"(?:^|\s)(?:-c\s*|--)([\w.-]+)\s*=")


def look(url: ConnectionString, use: Use) -> list[CheckLine]:
    """Hold the string against its use."""
    return [_fit(url, use), *_encryption(url), *_start(url)]


def _fit(url: ConnectionString, use: Use) -> CheckLine:
    if url.endpoint_id is None:
        return not_checked("use", f"{url.host or 'this host'} is no endpoint of Neon: it has no pooler")
    if use in ("migration", "notify") and url.is_pooled:
        why = (
            "advisory locks, SET and statements in parts belong to one session"
            if use == "migration"
            else "LISTEN belongs to a session, and the pooler gives it to others"
        )
        return fault("use", f"pooled, and {use} needs a direct connection: {why}", _through(url.direct()))
    if use == "notify":
        said = "direct, as LISTEN needs; but waiting is no activity: the compute is suspended under it"
        return note("use", said, "Listen again after each reconnect, or set scale to zero off.")
    if use == "migration":
        return ok("use", "direct, as migrations need")
    if url.is_pooled:
        return ok("use", f"pooled, as {use} needs: SET, LISTEN and session locks do not hold")
    if use == "serverless":
        said = "direct: each instance takes connections of its own, and max_connections is soon reached"
        return fault("use", said, _through(url.pooled()))
    said = "direct: the pools of all instances together must fit into max_connections"
    return note("use", said, f"With several instances: {_through(url.pooled())}")


def _through(url: ConnectionString) -> str:
    asked = re.search(r"(?:endpoint|project)=\S+", url.parameter("options") or "")
    return f"Write options={asked[0].replace('=', '%3D')}." if asked else f"Use the host {url.host}."


def _encryption(url: ConnectionString) -> Iterator[CheckLine]:
    mode = url.parameter("sslmode") or url.parameter("ssl")
    if url.platform is Platform.OTHER:
        return
    if mode in ("disable", "allow", "false", "0"):
        do = "Write sslmode=require or verify-full."
        yield fault("sslmode", f"sslmode={mode}: Neon refuses connections without TLS", do)
    elif mode in (None, "prefer"):
        yield note("sslmode", "no sslmode is required: each driver does as it likes", "Add sslmode=require.")


def _start(url: ConnectionString) -> Iterator[CheckLine]:
    """Find start-up settings that the pooler refuses."""
    if not url.is_pooled:
        return
    asked = [found.replace("-", "_") for found in _SETTING.findall(url.parameter("options") or "")]
    refused = [name for name in asked if name.lower() not in PASSED_ON]
    if refused:
        names = ", ".join(refused)
        do = f"alter role {url.role or 'NAME'} set {refused[0]} = …; and take it out of options."
        yield fault("options", f"the pooler refuses {names} at the start", do)
