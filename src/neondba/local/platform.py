"""Which Neon an operation talks to: with a key the cloud, else the local."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neondba.core.context import Context
from neondba.core.secret import Secret

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient


def client(ctx: Context) -> NeonClient:
    """Give a client for the Neon of these settings; start the local one.

    Raises:
        Problem: the local Neon did not start.
    """
    from neondba.neon.client import NeonClient

    settings = ctx.settings
    if settings.api_key:
        return NeonClient(settings.api_host, settings.api_key, clock=ctx.clock, chance=ctx.chance)
    return local_client(ctx)


def local_client(ctx: Context) -> NeonClient:
    """Give a client for the local Neon, whatever key is set; start it.

    Raises:
        Problem: it did not start.
    """
    from neondba.neon.client import NeonClient

    host, key = _local(ctx)
    return NeonClient(host, key, clock=ctx.clock)


def address(ctx: Context) -> tuple[str, Secret]:
    """Give the base address of the API and the key for it.

    Raises:
        Problem: the local Neon did not start.
    """
    settings = ctx.settings
    return (settings.api_host, settings.api_key) if settings.api_key else _local(ctx)


def _local(ctx: Context) -> tuple[str, Secret]:
    from neondba.local import launch

    running = launch.ensure(ctx.settings.state_dir, progress=ctx.progress)
    return f"http://127.0.0.1:{running.api_port}/api/v2", Secret("local")
