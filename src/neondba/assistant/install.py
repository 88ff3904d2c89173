"""What to write, change and remove so that an editor has the agents, the skills and the server."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from neondba.assistant.agent import AGENTS
from neondba.assistant.editors import LAYOUTS, Editor
from neondba.assistant.knowledge import published
from neondba.assistant.server_entry import put_in, taken_out
from neondba.assistant.skill import skills
from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.core.whole_file import put

_SIGNED: Final = re.compile(
    r"(?:<!-- |# )Written by neondba agents install; content (?P<hash>[0-9a-f]{16})\.(?: -->)?\n\Z"
)


class Done(StrEnum):
    """What becomes of a file."""

    WRITTEN = "written"
    RENEWED = "renewed"
    CHANGED = "our entry added"
    RESTORED = "our entry removed"
    REMOVED = "removed"
    SAME = "unchanged"
    KEPT = "left alone"


@dataclass(frozen=True)
class Change:
    """One file, and what becomes of it."""

    path: str
    done: Done
    content: str | None = None
    """What it holds afterwards; `None` where it goes, or stays as it is."""
    why: str = ""

    @property
    def acts(self) -> bool:
        """True where something is written or removed."""
        return self.done not in (Done.SAME, Done.KEPT)


def detected(folder: Path) -> list[Editor]:
    """Name the editors that a project is used with, by their files.

    Raises:
        NotFoundProblem: there are files of none.
    """
    found = [
        editor for editor, layout in LAYOUTS.items() if any((folder / mark).exists() for mark in layout.marks)
    ]
    if not found:
        raise NotFoundProblem(
            "editor-not-found",
            f"{folder} holds no files of an editor that takes agents.",
            hint=f"Name one or more: neondba agents install {' '.join(Editor)}",
        )
    return found


def installing(folder: Path, editors: Iterable[Editor], command: list[str]) -> list[Change]:
    """Say what each file would become."""
    found: dict[str, Change] = {}
    for editor in editors:
        layout = LAYOUTS[editor]
        for path, content in _files(editor):
            found[path] = _against(folder, path, _signed(path, content))
        text = _text(folder, layout.servers)
        made = put_in(layout, text, command)
        found[layout.servers] = (
            Change(layout.servers, Done.SAME, why="it has a server of that name")
            if made is None
            else Change(layout.servers, Done.WRITTEN if text is None else Done.CHANGED, made)
        )
    return list(found.values())


def removing(folder: Path, editors: Iterable[Editor]) -> list[Change]:
    """Say what of ours would go, and what was edited and stays."""
    found: dict[str, Change] = {}
    for editor in editors:
        layout = LAYOUTS[editor]
        for path, _content in _files(editor):
            text = _text(folder, path)
            if text is not None:
                ours = _is_as_written(text)
                found[path] = Change(path, Done.REMOVED if ours else Done.KEPT, why="" if ours else EDITED)
        text = _text(folder, layout.servers)
        left = taken_out(layout, text) if text is not None else None
        if left is not None:
            found[layout.servers] = (
                Change(layout.servers, Done.RESTORED, left) if left else Change(layout.servers, Done.REMOVED)
            )
    return list(found.values())


EDITED: Final = "edited, or not written by neondba"


def carried_out(folder: Path, changes: Iterable[Change]) -> None:
    """Write and remove; a folder that is empty then goes too."""
    for change in changes:
        path = folder / change.path
        if change.content is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            put(path, change.content.encode())
        elif change.done is Done.REMOVED:
            path.unlink(missing_ok=True)
            _prune(folder, path.parent)


def _prune(folder: Path, empty: Path) -> None:
    while empty != folder and empty.is_dir() and not any(empty.iterdir()):
        empty.rmdir()
        empty = empty.parent


def _files(editor: Editor) -> Iterator[tuple[str, str]]:
    layout = LAYOUTS[editor]
    for agent in AGENTS:
        yield layout.agents.format(agent.name), layout.agent_text(agent)
    for skill in skills().values():
        for name, content in skill.files.items():
            yield f"{layout.skills}/{skill.name}/{name}", published(content)


def _against(folder: Path, path: str, content: str) -> Change:
    there = _text(folder, path)
    if there is None:
        return Change(path, Done.WRITTEN, content)
    if there == content:
        return Change(path, Done.SAME)
    if _is_as_written(there):
        return Change(path, Done.RENEWED, content)
    return Change(path, Done.KEPT, why=EDITED)


def _text(folder: Path, path: str) -> str | None:
    whole = folder / path
    if not whole.resolve().is_relative_to(folder.resolve()):
        raise ArgumentProblem(
            "file-outside",
            f"{path} leads out of {folder}; nothing was written.",
            hint="Replace the link by a folder of the project.",
        )
    try:
        return whole.read_bytes().decode()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ArgumentProblem(
            "file-unreadable", f"{path} cannot be read: {error}.", hint="Nothing was written."
        ) from None


def _signed(path: str, body: str) -> str:
    said = f"Written by neondba agents install; content {_hash(body)}."
    return body + (f"# {said}\n" if path.endswith(".toml") else f"\n<!-- {said} -->\n")


def _is_as_written(text: str) -> bool:
    signed = _SIGNED.search(text)
    if signed is None:
        return False
    body = text[: signed.start()]
    return signed["hash"] in (_hash(body), _hash(body.removesuffix("\n")))


def _hash(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()[:16]
