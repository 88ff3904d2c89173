"""What each connection string of a project says about encryption, and what that protects from."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

from neondba.access.audit_env import Use, uses
from neondba.access.audit_tls_results import ServerLine, StringLine, TlsCheck, Verdict
from neondba.core.context import Context
from neondba.neon.connection_string import Platform

SOON: Final = timedelta(days=14)
MOST_HOSTS: Final = 8
WEAK: Final = ("disable", "allow", "prefer")
_SAYS: Final = {
    "disable": "nothing is encrypted: everybody on the way reads every row, and may ask for the password",
    "allow": "encrypted only if the server insists: whoever sits on the way can have it plain",
    "prefer": "encrypted if the server offers it: whoever sits on the way can have it plain",
    "require": "encrypted; nobody checks who answers: an impostor who asks for the password gets it",
    "verify-ca": "encrypted; the certificate must come from the authority, but may be another host's",
    "verify-full": "encrypted, and the certificate must be the host's own",
}
_BOUND: Final = (
    "encrypted, and channel binding lets nobody answer in the server's place who does not know the password"
)
_SPELLINGS: Final = {"true": "require", "no-verify": "require", "false": "disable"}


def tls_check(ctx: Context, folder: Path) -> TlsCheck:
    """Judge every connection string of the project's files, and look at each server's certificate."""
    there = uses(folder)
    return TlsCheck(
        strings=tuple(_string(use) for use in there),
        servers=tuple(_servers(ctx, there)),
    )


def mode_of(use: Use) -> tuple[str, str]:
    """Give the mode that counts for a string, and where it is from."""
    for name in ("sslmode", "ssl"):
        value = use.url.parameter(name)
        if value:
            return _SPELLINGS.get(value, value), f"{name}={value}"
    if use.mode:
        return use.mode, f"PGSSLMODE={use.mode} in {use.file}"
    return "prefer", "no sslmode, so libpq takes prefer"


def _string(use: Use) -> StringLine:
    mode, where = mode_of(use)
    bound = use.url.parameter("channel_binding") == "require"
    said = _SAYS.get(mode, f"no mode is called {mode}")
    verdict: Verdict = "ok"
    do = ""
    if use.url.platform is Platform.LOCAL:
        said = f"{said}; but it does not leave this machine"
    elif mode in WEAK or mode not in _SAYS:
        verdict = "fault"
        do = "Write sslmode=require&channel_binding=require, or sslmode=verify-full&sslrootcert=system."
    elif bound:
        said = _BOUND
    elif mode == "verify-full":
        pass
    else:
        verdict = "note"
        do = "Add channel_binding=require, or write sslmode=verify-full&sslrootcert=system (libpq 16 on)."
    if bound and mode in WEAK:
        said += "; channel_binding=require makes libpq refuse a plain connection, which other drivers do not"
    return StringLine(place=use.place, host=use.host, mode=where, verdict=verdict, said=said, do=do)


def _servers(ctx: Context, there: tuple[Use, ...]) -> list[ServerLine]:
    from neondba.postgres import server_tls

    asked = {
        (use.host.strip("[]"), use.url.port or 5432, use.url.parameter("sslrootcert"))
        for use in there
        if use.host and (use.url.platform is not Platform.LOCAL or use.endpoint)
    }
    lines = []
    for host, port, root in sorted(asked, key=str)[:MOST_HOSTS]:
        ctx.progress(f"Looking at the certificate of {host}.")
        seen = server_tls.look(host, port, root)
        if isinstance(seen, str):
            lines.append(ServerLine(host=host, verdict="not checked", said=f"{seen}."))
            continue
        by = f"{seen.version}, issued by {seen.issuer}, ends {seen.ends:%Y-%m-%d}"
        left = seen.ends - ctx.clock.now()
        lines.append(_server(host, by, seen.why_not, left, root))
    for host, _, _ in sorted(asked, key=str)[MOST_HOSTS:]:
        lines.append(ServerLine(host=host, verdict="not checked", said="too many hosts for one call."))
    return lines


def _server(host: str, by: str, why_not: str, left: timedelta, root: str | None) -> ServerLine:
    if left < SOON:
        said = f"{by}: {'it has ended' if left < timedelta() else f'{left.days} days are left'}."
        return ServerLine(host=host, verdict="fault", said=said, do="Have the certificate renewed.")
    if not why_not:
        with_what = "the system's authorities" if root in (None, "system") else root
        return ServerLine(host=host, verdict="ok", said=f"{by}: chain and host name hold by {with_what}.")
    do = "Name its authority in sslrootcert; then verify-full works here."
    return ServerLine(host=host, verdict="note", said=f"{by}: chain or name do not hold: {why_not}.", do=do)
