"""Files of variables: what is not ours stays byte for byte, and values are never shown."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret
from neondba.project.env_file import EnvText, parsed, read, write

FOREIGN = (
    b"# settings\r\n\r\nexport APP='shop' # the name\r\n"
    b'KEY="-----BEGIN\r\nabc=\r\nEND-----"\r\n  DATABASE_URL = old#1 # here\r\n'
    b"nonsense line\r\n\xff\xfe=\r\nLAST=1"
)


def changed(content: bytes, **values: str) -> bytes:
    return parsed(content).with_values({name: Secret(value) for name, value in values.items()}).render()


def test_everything_foreign_stays_byte_for_byte() -> None:
    assert parsed(FOREIGN).render() == FOREIGN
    expected = FOREIGN.replace(b"old#1", b"new") + b'\r\nMORE="x y"\r\n'
    assert changed(FOREIGN, DATABASE_URL="new", MORE="x y") == expected


def test_values_are_read_as_their_readers_do() -> None:
    text = parsed(FOREIGN)
    assert text.names == ("APP", "KEY", "DATABASE_URL", "LAST")
    values = [text.value(name) for name in text.names]
    assert [value.reveal() for value in values if value] == [
        "shop",
        "-----BEGIN\r\nabc=\r\nEND-----",
        "old#1",
        "1",
    ]
    assert parsed(b"A=1\nA=2\n").value("A") == Secret("2")
    assert parsed(b'A="a\\"b\\n$c"').value("A") == Secret('a"b\n$c')
    assert parsed(b"A=\nB=#c\n").value("A") == parsed(b"B=#c").value("B") == Secret("")
    assert text.value("MISSING") is None


def test_quotes_stay_as_they_were() -> None:
    url = "postgresql://u:p@h/d?a=b&c=d"
    for quote in (b"'", b'"', b"`"):
        assert changed(b"U=%bx%b\n" % (quote, quote), U=url) == b"U=%b%b%b\n" % (quote, url.encode(), quote)
    plain = url.partition("&")[0]
    assert changed(b"U=x\n", U=plain) == b"U=%b\n" % plain.encode()
    # A shell that reads the file would start what stands before the ampersand, and forget the value.
    assert changed(b"U=x\n", U=url) == b'U="%b"\n' % url.encode()
    assert changed(b"A=1\n", A="has # space") == b'A="has # space"\n'
    assert changed(b"A=1\n", A="dollar$x") == b"A='dollar$x'\n"
    assert changed(b"A='1'\nB=2\n", C="3") == b"A='1'\nB=2\nC='3'\n" or changed(b"A='1'\n", C="3").endswith(
        b"C='3'\n"
    )


def test_both_lines_of_a_name_are_set_and_an_old_one_may_stay_as_a_comment() -> None:
    assert changed(b"A=1\nB=2\nA=3\n", A="4") == b"A=4\nB=2\nA=4\n"
    kept = parsed(b"A=1 # one\n").with_values({"A": Secret("2")}, keep_old=frozenset({"A"}))
    assert kept.render() == b"# A=1 # one\nA=2 # one\n"
    again = kept.with_values({"A": Secret("2")}, keep_old=frozenset({"A"}))
    assert again.render() == kept.render()


def test_a_new_value_is_quoted_as_most_are_and_plain_where_there_is_no_most() -> None:
    assert changed(b'A="1"\nB=2\n', C="10") == b'A="1"\nB=2\nC=10\n'
    assert changed(b"A='1'\nB=2\nC='3'\n", D="10") == b"A='1'\nB=2\nC='3'\nD='10'\n"


def test_an_open_quote_swallows_no_lines() -> None:
    content = b"A=\"open\nB=2\nC='it's'\nD=4\n"
    assert parsed(content).names == ("A", "B", "C", "D")
    assert changed(content, B="3") == content.replace(b"B=2", b"B=3")


@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbfA=1")
@example(b"A='")
@example(b'A="\\')
def test_any_bytes_come_back_as_they_were(content: bytes) -> None:
    assert parsed(content).render() == content


@given(st.text(st.characters(exclude_characters="\0\r", exclude_categories=["Cs"]), max_size=40))
@example("a'b\"c`d$e\\f\ng")
def test_any_value_is_read_as_it_was_written(value: str) -> None:
    for quote in ("", "'", '"', "`"):
        text = parsed(f"BEFORE=1\nA={quote}x{quote} # c\nAFTER=2\n".encode()).with_values(
            {"A": Secret(value)}
        )
        again = parsed(text.render())
        assert again.value("A") == Secret(value)
        assert again.names == ("BEFORE", "A", "AFTER")


def test_a_shell_reads_what_was_written(tmp_path: Path) -> None:
    values = {"PLAIN": "postgresql://u:p%40@h/d?x=1&y=2", "ODD": "a'b\"c$HOME `id` #x"}
    path = tmp_path / ".env"
    write(path, EnvText().with_values({name: Secret(value) for name, value in values.items()}))
    shell = shutil.which("sh")
    assert shell
    for name, value in values.items():
        command = [shell, "-c", f'. ./.env; printf %s "${name}"']
        assert subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout.decode() == value


def test_a_file_with_passwords_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\n")
    path.chmod(0o644)
    write(path, read(path).with_values({"A": Secret("2")}))
    assert path.stat().st_mode & 0o777 == 0o600
    assert read(tmp_path / "missing").names == ()


def test_no_value_is_shown(tmp_path: Path) -> None:
    secret = "open" + "-sesame"
    text = parsed(f"A={secret}\n".encode())
    assert secret not in f"{text.value('A')!r} {text.value('A')}"
    assert secret not in repr(text)


def test_a_pipe_is_neither_waited_for_nor_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    with pytest.raises(ArgumentProblem, match="no plain file"):
        read(tmp_path / ".env")
