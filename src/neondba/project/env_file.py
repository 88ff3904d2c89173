"""Files of `NAME=value` lines: read them, and change values without touching the rest.

Comments, order, quoting, line ends and lines that nobody understands stay byte for byte. Values are
secrets: only `Secret.reveal()` shows one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from neondba.core.problem import ArgumentProblem
from neondba.core.secret import Secret

MODE: Final = 0o600
"""Who may read a file with passwords: its owner."""
_HEAD: Final = re.compile(
    r"[ \t]*(?:export[ \t]+)?(?P<key>[A-Za-z_][A-Za-z0-9_.-]*)[ \t]*=[ \t]*(?P<rest>[^\r\n]*)"
)
_AFTER: Final = re.compile(r"[ \t]*(?:#[^\r\n]*)?(?=\r?\n|\Z)")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./:@%+,=?-]*")
"""What an unquoted value may hold without meaning something else to a reader, or to a shell."""
_ESCAPES: Final = {"\\n": "\n", "\\r": "\r", '\\"': '"', "\\\\": "\\", "\\$": "$", "\\`": "`"}


@dataclass(frozen=True, repr=False)
class _Piece:
    """A stretch of the file: one entry in three parts, or text that is kept."""

    before: str
    raw: str = ""
    """The value as it is written, with its quotes."""
    after: str = ""
    key: str | None = None

    @property
    def quote(self) -> str:
        return self.raw[0] if self.raw[:1] in ("'", '"', "`") else ""

    @property
    def value(self) -> str:
        if self.quote:
            inner = self.raw[1:-1]
            if self.quote != '"':
                return inner
            return re.sub(r'\\[nr"\\$`]', lambda found: _ESCAPES[found[0]], inner)
        return self.raw

    def text(self) -> str:
        return self.before + self.raw + self.after


@dataclass(frozen=True, repr=False)
class EnvText:
    """The content of one file."""

    pieces: tuple[_Piece, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Give the names that are set, in order, each once."""
        return tuple(dict.fromkeys(piece.key for piece in self.pieces if piece.key))

    def value(self, name: str) -> Secret | None:
        """Give a value; of several lines the last one counts."""
        found = [piece.value for piece in self.pieces if piece.key == name]
        return Secret(found[-1]) if found else None

    def with_values(self, values: Mapping[str, Secret], *, keep_old: frozenset[str] = frozenset()) -> EnvText:
        """Set values where their names stand, and at the end where they are new.

        Of a name that stands twice both are set: readers differ on which counts. The lines of names in
        `keep_old` stay above the new ones as comments.
        """
        pieces: list[_Piece] = []
        for piece in self.pieces:
            if piece.key is None or piece.key not in values:
                pieces.append(piece)
                continue
            new = values[piece.key].reveal()
            if piece.key in keep_old and piece.value and piece.value != new:
                line = piece.text().strip("\r\n")
                pieces.append(_Piece("".join(f"# {one}{self._end}" for one in line.splitlines())))
            raw = piece.raw if piece.value == new else _written(new, piece.quote)
            pieces.append(_Piece(piece.before, raw, piece.after, piece.key))
        new_names = [name for name in values if name not in self.names]
        return EnvText((*self._ended(pieces), *(self._line(name, values[name]) for name in new_names)))

    def render(self) -> bytes:
        """Give the whole text as bytes: those that are no UTF-8 as they were."""
        return "".join(piece.text() for piece in self.pieces).encode("utf-8", "surrogateescape")

    @property
    def _end(self) -> str:
        text = "".join(piece.text() for piece in self.pieces)
        return "\r\n" if "\r\n" in text else "\n"

    def _ended(self, pieces: list[_Piece]) -> list[_Piece]:
        """Close the last line, if it is open and something may follow."""
        if pieces and not pieces[-1].text().endswith("\n"):
            pieces.append(_Piece(self._end))
        return pieces

    def _line(self, name: str, value: Secret) -> _Piece:
        quotes = [piece.quote for piece in self.pieces if piece.key]
        # Sorted, so that without quotes wins where as many lines have them as have not.
        usual = max(sorted(set(quotes)), key=quotes.count) if quotes else '"'
        return _Piece(f"{name}=", _written(value.reveal(), usual), self._end, name)


def parsed(content: bytes) -> EnvText:
    """Take the content of a file apart."""
    text = content.decode("utf-8", "surrogateescape")
    pieces: list[_Piece] = []
    at = 1 if text.startswith("\ufeff") else 0
    if at:
        pieces.append(_Piece("\ufeff"))
    while at < len(text):
        end = text.find("\n", at) + 1 or len(text)
        found = _HEAD.match(text, at)
        if found is None:
            pieces.append(_Piece(text[at:end]))
            at = end
            continue
        start = found.start("rest")
        stop = _value_end(text, start, found.end("rest"))
        end = text.find("\n", stop) + 1 or len(text)
        pieces.append(_Piece(text[at:start], text[start:stop], text[stop:end], found["key"]))
        at = end
    return EnvText(tuple(pieces))


def _value_end(text: str, start: int, line_end: int) -> int:
    """Say where a value ends: at its closing quote, lines further down perhaps, or before a comment."""
    quote = text[start : start + 1]
    if quote and quote in "'\"`":
        at = start + 1
        while at < len(text):
            if text[at] == "\\" and quote == '"':
                at += 2
                continue
            if text[at] == quote:
                if _AFTER.match(text, at + 1):
                    return at + 1
                break
            at += 1
    rest = text[start:line_end]
    comment = re.search(r"(?:^|[ \t])#", rest)
    return start + len((rest[: comment.start()] if comment else rest).rstrip())


def _written(value: str, quote: str) -> str:
    """Write a value with this quote, or with another where it would not come back as it is."""
    if not quote and _PLAIN.fullmatch(value):
        return value
    literal = [each for each in ("'", "`") if each not in value]
    if quote in literal:
        return f"{quote}{value}{quote}"
    if not re.search(r'["\\$`\r\n]', value):
        return f'"{value}"'
    if "'" in literal and "\n" not in value:
        return f"'{value}'"
    escaped = re.sub(r'["\\$`]', lambda found: "\\" + found[0], value)
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r") + '"'


def read(path: Path) -> EnvText:
    """Read a file; one that is not there is empty.

    Raises:
        ArgumentProblem: it is no plain file, or cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            # A password manager may offer a pipe here: reading it would wait, writing would break it.
            raise _unusable(path, "it is no plain file")
        return parsed(path.read_bytes())
    except FileNotFoundError:
        return EnvText()
    except OSError as error:
        raise _unusable(path, str(error.strerror)) from None


def write(path: Path, text: EnvText) -> None:
    """Put a file in place, whole or not at all, open to its owner only.

    Raises:
        ArgumentProblem: it cannot be written.
    """
    from neondba.core.whole_file import put

    put(path, text.render(), mode=MODE)


def _unusable(path: Path, why: str) -> ArgumentProblem:
    return ArgumentProblem(
        "env-file-unusable",
        f"{path} cannot be used as a file of variables: {why}.",
        hint="Name another one with --file.",
    )
