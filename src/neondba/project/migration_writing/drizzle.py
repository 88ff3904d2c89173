"""Write a Drizzle migration by hand, as `drizzle-kit generate --custom` lays one out."""

from __future__ import annotations

import json
import re
import uuid
from datetime import datetime

from neondba.project.migration_writing.change import Change
from neondba.project.tree import Tree

_BREAK = "\n--> statement-breakpoint\n"


def written(tree: Tree, path: str, change: Change, now: datetime) -> tuple[dict[str, str], dict[str, str]]:
    """Give the new files, and the journal that names them; nothing where there is no journal.

    The snapshot says again what the last one said: policies and roles that only SQL knows stay out of it,
    as in every custom migration.
    """
    folder = path.rpartition("/")[0]
    place = f"{folder}/meta/_journal.json".lstrip("/")
    text = tree.text(place) if place in tree.paths else None
    if text is None:
        return {}, {}
    journal = json.loads(text)
    entries = journal["entries"]
    index = max((int(e["idx"]) for e in entries), default=-1) + 1
    slug = re.sub(r"\W+", "_", change.name.lower()).strip("_")
    tag = f"{index:04d}_{slug}"
    last = entries[-1] if entries else {}
    when = max(int(now.timestamp() * 1000), int(last.get("when", 0)) + 1)
    version = last.get("version", journal.get("version", "7"))
    entries.append({"idx": index, "version": version, "when": when, "tag": tag, "breakpoints": True})
    up = _BREAK.join(f"{s.strip().rstrip(';')};" for s in change.up)
    down = _BREAK.join(f"{s.strip().rstrip(';')};" for s in change.down)
    head = f"{folder}/{tag}".lstrip("/")
    files = {f"{head}.sql": f"{up}\n", f"{head}.down.sql": f"{down}\n"}
    before = f"{folder}/meta/{index - 1:04d}_snapshot.json".lstrip("/")
    snapshot = tree.text(before) if before in tree.paths else None
    if snapshot is not None:
        known = json.loads(snapshot)
        # Derived, so that a plan looked at twice names the same one.
        known |= {"prevId": known["id"], "id": str(uuid.uuid5(uuid.UUID(known["id"]), up))}
        files[f"{folder}/meta/{index:04d}_snapshot.json".lstrip("/")] = json.dumps(known, indent=2)
    return files, {place: json.dumps(journal, indent=2) + "\n" * text.endswith("\n")}
