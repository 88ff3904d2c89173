"""Errors as real drivers make them on the local Neon are explained from their whole traceback."""

from __future__ import annotations

import traceback

import pytest
from connected import Shop, forget
from provoked_python import PROVOKED

from neondba.connections.explain_text import hits, line_of
from neondba.neon.connection_string import mask_text


@pytest.mark.parametrize(("expected", "provoke"), PROVOKED, ids=[f.__name__ for _, f in PROVOKED])
def test_an_error_of_a_python_driver_is_found_in_its_traceback(shop: Shop, expected, provoke):
    try:
        provoke(shop)
    except Exception:  # noqa: BLE001 - whatever a driver raises
        text = traceback.format_exc()
    else:
        pytest.fail("nothing failed")
    if "asyncpg" in text:
        forget()
    found = hits(text)
    assert expected in {hit.entry.id for hit in found}, mask_text(text[-2500:])
    begun = found[0].start
    assert all(hit.start == begun or hit.entry.id == expected for hit in found), [h.entry.id for h in found]
    assert line_of(text, found[0].line)
