"""What the rules about connections and pools share."""

from __future__ import annotations

import ast

from neondba.project.addresses import Addresses
from neondba.project.engines import Engine
from neondba.project.places import is_test


def address_of(engine: Engine) -> str:
    """Give the engine's address as code, never its text: that may hold a password."""
    url = engine.url
    return ast.unparse(url) if isinstance(url, (ast.Name, ast.Attribute)) else "DATABASE_URL"


def with_settings(engine: Engine, *settings: str) -> str:
    """Give the call that makes the engine, with further settings."""
    return "\n".join(
        [
            f"{engine.factory}(",
            f"    {address_of(engine)},",
            *(f"    {setting}," for setting in settings),
            ")",
        ]
    )


def kept_settings(engine: Engine, *without: str) -> list[str]:
    """Give the plain settings that a call already has, as code."""
    plain = (ast.Constant, ast.Name, ast.Attribute)
    return [
        f"{name}={ast.unparse(value)}"
        for name, value in engine.keywords.items()
        if name not in (*without, "url", "dsn", "password") and isinstance(value, plain)
        and not (isinstance(value, ast.Constant) and isinstance(value.value, str))
    ]  # fmt: skip


def shows_pooler(addresses: Addresses) -> bool:
    """Tell whether the project's settings or documents show an address of Neon's pooler."""
    return any(
        "-pooler." in address.host and not is_test(address.path) and not address.path.endswith(".py")
        for address in addresses.all
    )
