"""The record of a chat, for its owner only and without what looks like a secret."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Self

from neondba.core.context import Context
from neondba.core.problem import ArgumentProblem
from neondba.core.secret import MASK
from neondba.neon.connection_string import mask_text
from neondba.review.masking import masked

_SECRET_NAME: Final = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD)S?$", re.IGNORECASE)
_SHORTEST: Final = 8
"""What is shorter may be a word of the language."""


class Hiding:
    """Replaces passwords in connection strings, and what this process knows to be secret, by `***`."""

    def __init__(self, ctx: Context, environment: Mapping[str, str] | None = None) -> None:
        known = [ctx.settings.api_key.reveal()] if ctx.settings.api_key else []
        given = os.environ if environment is None else environment
        known += [value for name, value in given.items() if _SECRET_NAME.search(name)]
        self._known = sorted({value for value in known if len(value) >= _SHORTEST}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Hide what is certainly secret: a model is to understand the rest."""
        for value in self._known:
            text = text.replace(value, MASK)
        return mask_text(text)

    def data(self, data: Any) -> Any:
        """Hide it in every text inside JSON-ready data."""
        return _each(data, self.text)

    def recorded(self, data: Any) -> Any:
        """Hide also what only looks like a secret: nobody needs it in a record."""
        return _each(data, lambda text: masked(self.text(text)), by_name=True)


def _each(data: Any, change: Any, *, by_name: bool = False) -> Any:
    if isinstance(data, str):
        return change(data)
    if isinstance(data, Mapping):
        return {
            change(str(key)): MASK
            if by_name and isinstance(value, str) and value and _SECRET_NAME.search(str(key))
            else _each(value, change, by_name=by_name)
            for key, value in data.items()
        }
    if isinstance(data, list | tuple):
        return [_each(one, change, by_name=by_name) for one in data]
    return data


class Transcript:
    """JSON lines: what was asked, called, agreed to and answered, in this order."""

    def __init__(self, ctx: Context, hiding: Hiding, *, kept: bool = True) -> None:
        self._ctx = ctx
        self._hiding = hiding
        self._file: IO[str] | None = None
        self.path: Path | None = None
        if kept:
            self._open(ctx.settings.state_dir / "chats")

    def _open(self, folder: Path) -> None:
        name = f"{self._ctx.clock.now():%Y%m%dT%H%M%S}-{self._ctx.chance.getrandbits(32):08x}.jsonl"
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            opened = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise ArgumentProblem(
                "state-dir-unusable",
                f"The chat cannot be recorded in {folder}: {error.strerror}.",
                hint="Choose another folder with --state-dir, or record nothing: --no-transcript",
            ) from None
        self._file, self.path = os.fdopen(opened, "w", encoding="utf-8"), folder / name

    def write(self, kind: str, **fields: Any) -> None:
        """Add a line.

        Raises:
            ArgumentProblem: it cannot be written.
        """
        if self._file is None:
            return
        line = {"at": self._ctx.clock.now().isoformat(), "kind": kind, **self._hiding.recorded(fields)}
        try:
            self._file.write(json.dumps(line, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise ArgumentProblem(
                "transcript-not-writable",
                f"{self.path} cannot be written: {error.strerror}.",
                hint="Make room there, or record nothing: --no-transcript",
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
