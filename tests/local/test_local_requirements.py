"""The reference of the local Neon: each row has a test or a stated divergence, and the page says so."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
import shown

from neondba.local.requirements import behaviours, document, homes, limits, rows, sizes

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "local-neon.md"


@pytest.fixture(scope="module")
def found():
    return shown.shown({row.id for row in rows()})


def test_each_thing_is_named_once_in_one_area_and_in_whole_sentences():
    assert len({row.id for row in rows()}) == len(rows())
    assert [row.id for row in rows() if len(homes(row)) != 1] == []
    sentences = [(row.id, text) for row in rows() for text in (row.sentence, row.divergence) if text]
    assert [name for name, text in sentences if not text.endswith(".") or "|" in text] == []


def test_every_row_is_shown_by_a_test_or_says_what_is_missing(found):
    assert [row.id for row in rows() if row.id not in found and not row.deferred] == []
    assert [row.id for row in behaviours() if row.deferred and not row.divergence] == []


def test_what_is_not_built_is_not_shown(found):
    assert [row.id for row in rows() if row.deferred and row.id in found] == []


def test_every_mark_names_a_row(found):
    assert set(found) - {row.id for row in rows()} == set()


def test_a_test_without_a_mark_or_a_call_shows_nothing():
    bare = ast.parse('def test_it(): return "createProject"')
    assert [*shown.marked(bare), *shown.called(bare)] == []
    told = ast.parse('@pytest.mark.shows("proxy.tls")\ndef test_it(): ask("createProject")')
    assert [*shown.marked(told), *shown.called(told)] == ["proxy.tls", "proxy.tls", "createProject"]


def test_the_page_holds_the_tables_as_they_are(found):
    page = REFERENCE.read_text(encoding="utf-8")
    for part in (document(found), sizes(), limits()):
        assert part in page, "run make docs"


@pytest.mark.shows("machine.loopback")
def test_every_port_is_on_loopback_only(server):
    ports = {server.api_port, server.postgres_port, server.https_port}
    listening = [
        (local.split(":"), kind)
        for kind in ("tcp", "tcp6")
        if (table := Path("/proc/net", kind)).exists()
        for local, state in (line.split()[1:4:2] for line in table.read_text().splitlines()[1:])
        if state == "0A"
    ]
    mine = {(address, int(port, 16)) for (address, port), _ in listening if int(port, 16) in ports}
    assert mine == {("0100007F", port) for port in ports}
