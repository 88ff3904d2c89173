"""Neon's official command line, which lies in `tests/clients`, and what points it at a local Neon."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PINNED = Path(__file__).parents[1] / "clients" / "node_modules" / ".bin" / "neon"


def program():
    """Give the program's path; fail, not skip, where it is not installed."""
    found = shutil.which(os.environ.get("NEONDBA_TEST_NEON_CLI") or str(PINNED))
    if found is None:
        pytest.fail("the official command line is not installed: run npm ci in tests/clients")
    return found


def environment(server, home, factory):
    """Give the variables that lead it to this server, with a home of its own."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "NEON_CONFIG_DIR": str(home / "config"),
        "NEON_API_HOST": f"http://127.0.0.1:{server.api_port}/api/v2",
        "NEON_API_KEY": "any-thing",
        "CI": "1",
        "NO_UPDATE_NOTIFIER": "1",
        # A fifth of each call is compiling the command line anew.
        "NODE_COMPILE_CACHE": str(factory.getbasetemp().parent / "node-compiled"),
    }
