"""What the browser reaches past the application: Supabase's data API with the public key."""

from __future__ import annotations

import re

from neondba.project.places import is_test
from neondba.project.tree import Tree
from neondba.project.typescript.owned import OwnedTables, folded

CLIENT = re.compile(
    r"\bcreate(?:Browser|Server)?Client\b[^;]{0,200}?(?:ANON|PUBLISHABLE)_?KEY", re.IGNORECASE
)
ENABLED = re.compile(
    r"alter\s+table\s+(?:if\s+exists\s+)?(?:only\s+)?([\w.\"]+)\s+(?:enable|force)\s+row\s+level\s+security",
    re.IGNORECASE,
)
TAKEN = re.compile(r"\brevoke\b[^;]*\bfrom\b[^;]*\b(?:anon|public)\b", re.IGNORECASE)
SAID = re.compile(r"vote|like|follow|view|reaction|rating|bookmark|team|event", re.IGNORECASE)
"""Tables whose rows may well be shown to all."""
DYNAMIC = re.compile(r"execute\s+(?:format|')[^;]*row\s+level\s+security", re.IGNORECASE)


def data_api(tree: Tree) -> str:
    """Give the file that makes a client with the key that every browser has."""
    for path in tree.named(suffix=(".ts", ".tsx", ".js", ".jsx", ".mjs")):
        text = "" if is_test(path) else tree.text(path) or ""
        if "supabase" in text and CLIENT.search(text):
            return path
    return ""


def sql_texts(tree: Tree) -> dict[str, str]:
    """Give the SQL files that are no tests."""
    return {p: tree.text(p) or "" for p in tree.named(suffix=".sql") if not is_test(p)}


def plain_name(name: str) -> str:
    """Give the name of a table or function without its schema and quotes."""
    return name.replace('"', "").rpartition(".")[2].lower()


def secured(texts: dict[str, str]) -> set[str]:
    """Give the tables that have row-level security in any file."""
    return {plain_name(m[1]) for text in texts.values() for m in ENABLED.finditer(text)}


def is_closed(texts: dict[str, str]) -> bool:
    """Tell whether privileges are taken away, or row-level security is switched on by a loop."""
    return any(TAKEN.search(text) or DYNAMIC.search(text) for text in texts.values())


def is_personal(owned: OwnedTables, name: str) -> bool:
    """Tell whether every row of a table is somebody's, and not made to be shown."""
    made = owned.by_name.get(name.lower())
    if made is None or not made.is_owned or made.people or made.read_by_all or SAID.search(name):
        return False
    column = made.table.named(made.owner)
    column = column or next((c for c in made.table.columns.values() if folded(c.name) == made.parent), None)
    return column is not None and not column.nullable
