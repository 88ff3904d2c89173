"""Write the next file of a folder of numbered SQL migrations, in the manner of its neighbours."""

from __future__ import annotations

import re
from datetime import datetime

from neondba.project.migration_writing.change import Change
from neondba.project.tree import Tree

NUMBERED = re.compile(
    r"(?P<head>[VU]?)(?P<number>\d+)(?P<mark>__|[_-])(?P<rest>.*?)(?P<way>\.up|\.down)?\.sql"
)

UNUSED = re.compile(r"(^|[/_.-])(old|archived?|backup|legacy|deprecated)([/_.-]|$)", re.IGNORECASE)
"""Folders of migrations that nothing runs any more."""


class Unsuited(Exception):
    """The folder does not tell how a next file has to look."""


def files(tree: Tree, path: str, change: Change, now: datetime, added: set[str]) -> dict[str, str]:
    """Give the files that carry a change.

    Raises:
        Unsuited: the folder numbers no files, or its tool may refuse what must run outside a transaction.
    """
    folder = path.rpartition("/")[0]
    paths = [p for p in sorted({*tree.paths, *added}) if p.rpartition("/")[0] == folder]
    beside = [m for p in paths if (m := NUMBERED.fullmatch(p.rpartition("/")[2]))]
    if not beside or UNUSED.search(folder):
        raise Unsuited("its folder numbers no files, or is no longer used")
    if f"{folder}/atlas.sum".lstrip("/") in tree.paths:
        raise Unsuited("Atlas keeps sums of its files: write it with atlas migrate")
    last = max(beside, key=lambda m: int(m["number"]))
    slug = re.sub(r"\W+", "_", change.name.lower()).strip("_")
    number = _next(last["number"], now)
    head = f"{folder}/{last['head'].replace('U', 'V')}{number}{last['mark']}{slug}".lstrip("/")
    up, down = _statements(change.up), _statements(change.down)
    if any(m["way"] for m in beside):
        alone = "-- no-transaction\n" if change.concurrently and any(tree.named("Cargo.toml")) else ""
        return {f"{head}.up.sql": alone + up, f"{head}.down.sql": alone + down}
    style = "\n".join(tree.text(p) or "" for p in paths[-5:])
    return {f"{head}.sql": _styled(style, up, down, change, flyway=bool(last["head"]))}


def _next(number: str, now: datetime) -> str:
    for form, digits in (("%Y%m%d%H%M%S", 14), ("%Y%m%d%H%M", 12)):
        if len(number) == digits:
            return str(max(int(f"{now:{form}}"), int(number) + 1))
    if len(number) == 10 and number.startswith("1"):
        return str(max(int(now.timestamp()), int(number) + 1))
    return f"{int(number) + 1:0{len(number)}}"


def _statements(statements: tuple[str, ...]) -> str:
    return "".join(statement.rstrip().rstrip(";") + ";\n" for statement in statements)


def _styled(style: str, up: str, down: str, change: Change, *, flyway: bool) -> str:
    """Write both ways as the tool of the neighbours reads them."""
    if "-- migrate:up" in style:
        option = " transaction:false" if change.concurrently else ""
        return f"-- migrate:up{option}\n{up}\n-- migrate:down{option}\n{down}"
    if "-- +goose Up" in style:
        option = "-- +goose NO TRANSACTION\n" if change.concurrently else ""
        return f"{option}-- +goose Up\n{up}\n-- +goose Down\n{down}"
    if change.concurrently and not flyway:
        raise Unsuited(
            "CONCURRENTLY runs outside a transaction, and nothing tells whether its tool allows that"
        )
    return up
