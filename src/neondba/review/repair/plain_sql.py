"""Write the next file of a folder of numbered SQL migrations, in the manner of its neighbours."""

from __future__ import annotations

import re
from datetime import datetime

from neondba.project.tree import Tree
from neondba.review.finding import Change

NUMBERED = re.compile(
    r"(?P<head>[VU]?)(?P<number>\d+)(?P<mark>__|[_-])(?P<rest>.*?)(?P<way>\.up|\.down)?\.sql"
)


def files(tree: Tree, path: str, change: Change, now: datetime, added: set[str]) -> dict[str, str]:
    """Give the files that carry a change; none where the folder does not number its files."""
    folder = path.rpartition("/")[0]
    paths = [p for p in {*tree.paths, *added} if p.rpartition("/")[0] == folder]
    beside = [m for p in paths if (m := NUMBERED.fullmatch(p.rpartition("/")[2]))]
    if not beside or f"{folder}/atlas.sum".lstrip("/") in tree.paths:
        return {}
    last = max(beside, key=lambda m: int(m["number"]))
    number = _next(last["number"], now)
    slug = re.sub(r"\W+", "_", change.name.lower()).strip("_")
    head = f"{folder}/{last['head'].replace('U', 'V')}{number}{last['mark']}{slug}".lstrip("/")
    up, down = _statements(change.up), _statements(change.down)
    if any(m["way"] for m in beside):
        return {f"{head}.up.sql": up, f"{head}.down.sql": down}
    style = "\n".join(tree.text(p) or "" for p in sorted(paths)[-5:])
    return {f"{head}.sql": _styled(style, up, down, change)}


def _next(number: str, now: datetime) -> str:
    for form, digits in (("%Y%m%d%H%M%S", 14), ("%Y%m%d%H%M", 12)):
        if len(number) == digits:
            return str(max(int(f"{now:{form}}"), int(number) + 1))
    if len(number) == 10 and number.startswith("1"):
        return str(max(int(now.timestamp()), int(number) + 1))
    return f"{int(number) + 1:0{len(number)}}"


def _statements(statements: tuple[str, ...]) -> str:
    return "".join(statement.rstrip().rstrip(";") + ";\n" for statement in statements)


def _styled(style: str, up: str, down: str, change: Change) -> str:
    if "-- migrate:up" in style:
        option = " transaction:false" if change.concurrently else ""
        return f"-- migrate:up{option}\n{up}\n-- migrate:down{option}\n{down}"
    if "-- +goose Up" in style:
        option = "-- +goose NO TRANSACTION\n" if change.concurrently else ""
        return f"{option}-- +goose Up\n{up}\n-- +goose Down\n{down}"
    note = (
        "-- Runs outside a transaction, as the only statement of its file.\n" if change.concurrently else ""
    )
    return note + up
