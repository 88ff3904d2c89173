"""Errors of Node's drivers, as Node prints them, are explained."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from connected import Shop

from neondba.connections.explain_text import hits
from neondba.neon.connection_string import mask_text

SCRIPT = Path(__file__).with_name("provoke.mjs")
MODULES = Path(__file__).parents[1] / "clients" / "node_modules"
IDS = re.findall(r'^  "([a-z/-]+)": ', SCRIPT.read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def texts(shop: Shop) -> dict[str, str]:
    program = shutil.which("node")
    assert program, "Node is not installed: make test brings it"
    around = {"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}
    done = subprocess.run(
        [program, "--no-warnings", str(SCRIPT)],
        env={**around, "URL": shop.url, "MODULES": str(MODULES)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, mask_text(done.stderr)
    return json.loads(done.stdout)


@pytest.mark.parametrize("expected", IDS)
def test_an_error_of_a_node_driver_is_found_in_what_node_prints(texts, expected):
    found = hits(texts[expected])
    expected = expected.partition("/")[0]
    assert expected in {hit.entry.id for hit in found}, [hit.entry.id for hit in found]
    assert all(hit.start == found[0].start or hit.entry.id == expected for hit in found), [
        hit.entry.id for hit in found
    ]
