"""Check a connection: each step as far as the one before it got."""

from __future__ import annotations

from neondba.connections import check_network, check_session, check_use
from neondba.connections.check_results import ConnectionCheck, not_checked
from neondba.connections.check_source import Source
from neondba.connections.check_use import Use
from neondba.connections.drivers import DRIVERS, Asked, advice
from neondba.connections.drivers_used import drivers_used
from neondba.core.context import Context


def check(ctx: Context, source: Source, use: Use, driver: Asked | None) -> ConnectionCheck:
    """Look at the string, the way, the session; give advice for drivers."""
    url = source.url
    begun = ctx.clock.monotonic()
    lines = check_use.look(url, use)
    ctx.progress(f"Looking for {url.host}.")
    way = check_network.look(url, ctx.clock)
    lines += way.lines
    if way.reached:
        ctx.progress("Logging in.")
        lines += check_session.look(url, ctx.clock, begun)
    else:
        names = ("authentication", *check_session.LATER)
        lines += [not_checked(name, "the server is not reached") for name in names]
    used = drivers_used(ctx.folder, url) if driver is None else ()
    chosen = [each for each in DRIVERS if driver in ("all", each.name) or each.name in used]
    return ConnectionCheck(
        address=url.masked(),
        found_in=source.found_in,
        use=use,
        lines=tuple(lines),
        drivers=tuple(advice(each, url) for each in chosen),
        drivers_from="asked" if driver else "project",
    )
