"""The message parser on wild bytes."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neondba.local.proxy import messages
from neondba.local.proxy.messages import Cancel, ProtocolError, Startup

words = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20)
names = words.filter(bool)


@given(st.integers(0, 9), st.dictionaries(names, words, max_size=6))
def test_a_start_up_packet_is_read_as_it_was_written(minor: int, parameters: dict[str, str]) -> None:
    version = messages.PROTOCOL_3 + minor
    packet = messages.startup(version, parameters)
    assert int.from_bytes(packet[:4], "big") == len(packet)
    assert messages.read_first(packet[4:]) == Startup(version, parameters)


@given(st.integers(0, 2**32 - 1), st.binary(min_size=4, max_size=256))
def test_a_cancel_request_is_read_as_it_was_written(pid: int, key: bytes) -> None:
    assert messages.read_first(messages.cancel(pid, key)[4:]) == Cancel(pid, key)


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda rest: b"\0\3\0\0" + rest))
def test_wild_bytes_are_read_or_refused_and_never_crash(body: bytes) -> None:
    with suppress(ProtocolError):
        messages.read_first(body)


@given(st.binary(max_size=60))
def test_a_wild_sasl_answer_is_read_or_refused(body: bytes) -> None:
    try:
        mechanism, first = messages.sasl_initial(body)
    except ProtocolError:
        return
    assert body.endswith(first)
    assert "\0" not in mechanism


@given(words, st.sampled_from(["XX000", "28P01"]), st.none() | names)
def test_an_error_is_read_as_it_was_written(text: str, code: str, hint: str | None) -> None:
    fields = messages.fields_of(messages.error(text, code=code, hint=hint)[5:])
    assert (fields["M"], fields["C"], fields.get("H")) == (text, code, hint)


def test_an_encryption_request_with_more_behind_it_is_no_encryption_request() -> None:
    with pytest.raises(ProtocolError):
        messages.read_first(messages.SSL_REQUEST.to_bytes(4, "big") + b"more")
