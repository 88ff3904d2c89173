"""The table of routes, filled by every module of this folder."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module

from neondba.local import api
from neondba.local.api.call import ROUTES, Route
from neondba.local.api.unavailable import unavailable


@cache
def routes() -> tuple[Route, ...]:
    """Give every route: by module, then as written."""
    for module in sorted(pkgutil.iter_modules(api.__path__), key=lambda at: at.name):
        import_module(f"{api.__name__}.{module.name}")
    return tuple(sorted(ROUTES, key=lambda route: route.handler.__module__))


@cache
def everything() -> tuple[Route, ...]:
    """Give every route, those included that say what is not available."""
    built = routes()
    return (*built, *unavailable({route.operation_id for route in built}))
