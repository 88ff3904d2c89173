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
from neondba.assistant.editors import LAYOUTS, Editor, Layout
from neondba.assistant.knowledge import published
from neondba.assistant.server_entry import NAME, Whose, put_in, starts_as, taken_out, whose
from neondba.assistant.skill import skills
from neondba.core.problem import ArgumentProblem, NotFoundProblem

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


OLDER: Final = "not in this release any more"
EDITED: Final = "edited, or not written by neondba"


def detected(folder: Path, verb: str = "install") -> list[Editor]:
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
            hint=f"Name one or more: neondba agents {verb} {' '.join(Editor)}",
        )
    return found


def installing(folder: Path, editors: Iterable[Editor], command: list[str] | None) -> list[Change]:
    """Say what each file would become; without a command our servers start as they do, or as `neondba`."""
    # By its real place: folders of two editors may be one, through a link.
    found: dict[Path, Change] = {}
    for editor in editors:
        layout = LAYOUTS[editor]
        for path, content in _files(editor):
            place = _place(folder, path)
            if place not in found:
                found[place] = _against(place, path, _signed(path, content))
        for path in _of_older_releases(folder, layout):
            found.setdefault(_place(folder, path), Change(path, Done.REMOVED, why=OLDER))
        place = _place(folder, layout.servers)
        if place not in found:
            found[place] = _server_in(layout, _text(place, layout.servers), command)
    return list(found.values())


def removing(folder: Path, editors: Iterable[Editor]) -> list[Change]:
    """Say what of ours would go, and what was edited and stays."""
    found: dict[Path, Change] = {}
    for editor in editors:
        layout = LAYOUTS[editor]
        for path, _content in _files(editor):
            place = _place(folder, path)
            text = _text(place, path)
            if text is not None and place not in found:
                ours = _is_as_written(text)
                found[place] = Change(path, Done.REMOVED if ours else Done.KEPT, why="" if ours else EDITED)
        for path in _of_older_releases(folder, layout):
            found.setdefault(_place(folder, path), Change(path, Done.REMOVED))
        place = _place(folder, layout.servers)
        out = _server_out(layout, _text(place, layout.servers))
        if out is not None:
            found.setdefault(place, out)
    return list(found.values())


def _server_in(layout: Layout, text: str | None, command: list[str] | None) -> Change:
    path, asked = layout.servers, command or [NAME]
    match whose(layout, text):
        case Whose.OTHERS:
            return Change(path, Done.KEPT, why=f"its server {NAME} is {EDITED}")
        case Whose.OURS if text is not None:
            if command is None or starts_as(layout, text, command):
                return Change(path, Done.SAME)
            return Change(path, Done.RENEWED, put_in(layout, taken_out(layout, text), command))
    return Change(path, Done.WRITTEN if text is None else Done.CHANGED, put_in(layout, text, asked))


def _server_out(layout: Layout, text: str | None) -> Change | None:
    match whose(layout, text):
        case Whose.OTHERS:
            return Change(layout.servers, Done.KEPT, why=f"its server {NAME} is {EDITED}")
        case Whose.OURS if text is not None:
            left = taken_out(layout, text)
            return Change(layout.servers, Done.REMOVED if left is None else Done.RESTORED, left)
    return None


def _files(editor: Editor) -> Iterator[tuple[str, str]]:
    layout = LAYOUTS[editor]
    for agent in AGENTS:
        yield layout.agents.format(agent.name), layout.agent_text(agent)
    for skill in skills().values():
        for name, content in skill.files.items():
            yield f"{layout.skills}/{skill.name}/{name}", published(content)


def _of_older_releases(folder: Path, layout: Layout) -> Iterator[str]:
    """Name the pages that we wrote; those of this release are known already."""
    for place in sorted((folder / layout.skills).glob("neon-*/**/*.md")):
        path = place.relative_to(folder).as_posix()
        text = _text(_place(folder, path), path) if place.is_file() else None
        if text is not None and _is_as_written(text):
            yield path


def _against(place: Path, path: str, content: str) -> Change:
    there = _text(place, path)
    if there is None:
        return Change(path, Done.WRITTEN, content)
    if there == content:
        return Change(path, Done.SAME)
    if _is_as_written(there):
        return Change(path, Done.RENEWED, content)
    return Change(path, Done.KEPT, why=EDITED)


def _place(folder: Path, path: str) -> Path:
    """Follow the links on the way to a file.

    Raises:
        ArgumentProblem: they lead out of the folder, or nowhere.
    """
    try:
        place = (folder / path).resolve()
    except (OSError, RuntimeError):
        raise _unreadable(path, "its link leads to itself") from None
    if not place.is_relative_to(folder.resolve()):
        raise ArgumentProblem(
            "file-outside",
            f"{path} leads out of {folder}; nothing was changed.",
            hint="Replace the link by a file or folder of the project, or name other editors.",
        )
    return place


def _text(place: Path, path: str) -> str | None:
    try:
        return place.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        raise _unreadable(path, "it is not written in UTF-8") from None
    except OSError as error:
        raise _unreadable(path, str(error.strerror or error)) from None


def _unreadable(path: str, why: str) -> ArgumentProblem:
    return ArgumentProblem(
        "file-unreadable",
        f"{path} cannot be read: {why}.",
        hint="Correct it, or move it away. Nothing was changed.",
    )


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
