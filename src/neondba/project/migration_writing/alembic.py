"""Write Alembic revisions as the project's own `script.py.mako` would, without running it.

A Mako template is a program. Only the places that Alembic's own templates have are filled in; a template
with anything else is not used, and the revision has Alembic's default form.
"""

from __future__ import annotations

import configparser
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime

from neondba.project.alembic_history import History
from neondba.project.migration_writing.change import Change
from neondba.project.migration_writing.statements import CreateIndex, created_index, dropped_index
from neondba.project.tree import Tree

PLAIN = '''"""${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}
Create Date: ${create_date}

"""
from alembic import op


revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
'''
PLACE = re.compile(r"\$\{([^}]*)\}")
PROGRAM = re.compile(r"^\s*%(?!%)|<%", re.MULTILINE)
BIND = re.compile(r"(?<![:\w\\]):(\w+)(?!:)")
"""What SQLAlchemy takes for a parameter."""
ESCAPED = re.compile(r"(\\:[\w$]*)(?![:\w$])")
"""What it takes for a colon that is none."""
SLUG = 40
"""Alembic's own limit of a name."""


class Writer:
    """Write revisions of one history, each following the one before."""

    def __init__(self, tree: Tree, history: History, now: datetime) -> None:
        self._now = now
        self._ids = [revision.id for revision in history.revisions]
        self._head = history.heads[0].id
        self._template = _template(tree, history.folder)
        self._name = _file_template(tree, history.folder)

    def write(self, change: Change) -> tuple[str, str]:
        """Give the name and the text of the revision that carries a change."""
        id_ = self._next_id(change)
        values = {
            "message": _sentence(change.name),
            "up_revision": id_,
            "down_revision|comma,n": self._head,
            "create_date": f"{self._now:%Y-%m-%d %H:%M:%S.%f}",
            "repr(up_revision)": repr(id_),
            "repr(down_revision)": repr(self._head),
            "repr(branch_labels)": "None",
            "repr(depends_on)": "None",
            'importsifimportselse""': "",
            'upgradesifupgradeselse"pass"': body(change, change.up),
            'downgradesifdowngradeselse"pass"': body(change, change.down),
        }
        values["down_revision|comma"] = values["down_revision"] = self._head
        text = _filled(self._template, values) or _filled(PLAIN, values) or ""
        self._head = id_
        self._ids.append(id_)
        return self._file_name(id_, change), text

    def _next_id(self, change: Change) -> str:
        """Count on where the project counts; else derive the id, so that a plan names the same one twice."""
        if all(re.fullmatch(r"\d{2,6}", id_) for id_ in self._ids):
            width = max(len(id_) for id_ in self._ids)
            return f"{max(int(id_) for id_ in self._ids) + 1:0{width}}"
        return hashlib.sha256("|".join((self._head, *change.up)).encode()).hexdigest()[:12]

    def _file_name(self, id_: str, change: Change) -> str:
        slug = re.sub(r"\W+", "_", change.name.lower()).strip("_")[:SLUG].rstrip("_")
        now = self._now
        parts = {
            "rev": id_, "slug": slug, "epoch": int(now.timestamp()), "year": now.year, "month": now.month,
            "day": now.day, "hour": now.hour, "minute": now.minute, "second": now.second,
        }  # fmt: skip
        try:
            return f"{self._name % parts}.py"
        except (KeyError, ValueError, TypeError):
            return f"{id_}_{slug}.py"


def _sentence(name: str) -> str:
    return name[:1].upper() + name[1:].replace('"', "'").replace("\\", "/")


def _template(tree: Tree, folder: str) -> str:
    place = "/".join([*folder.split("/")[:-1], "script.py.mako"])
    text = tree.text(place) if place in tree.paths else None
    return text if text is not None and not PROGRAM.search(text) else PLAIN


def _filled(template: str, values: dict[str, str]) -> str | None:
    """Fill the places in; `None` when one of them is nothing that Alembic's own templates have."""
    asked = [re.sub(r"\s+", "", place).replace("'", '"') for place in PLACE.findall(template)]
    if not {*asked} <= values.keys() or not any("upgrades" in place for place in asked):
        return None
    found = iter(asked)
    text = PLACE.sub(lambda _: values[next(found)], template.replace("\r\n", "\n"))
    return re.sub(r"\n{4,}", "\n\n\n", text)


def _file_template(tree: Tree, folder: str) -> str:
    above = ["/".join(folder.split("/")[:n]) for n in range(folder.count("/") + 1, -1, -1)]
    for place in above:
        path = f"{place}/alembic.ini".lstrip("/")
        text = tree.text(path) if path in tree.paths else None
        if text is None:
            continue
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(text)
        except configparser.Error:
            break
        return parser.get("alembic", "file_template", fallback="%%(rev)s_%%(slug)s").replace("%%", "%")
    return "%(rev)s_%(slug)s"


def body(change: Change, statements: tuple[str, ...]) -> str:
    """Write statements as operations; what must run outside a transaction stands in a block of its own."""
    made = [index for one in (*change.up, *change.down) if (index := created_index(one))]
    tables = {index.name: index.table for index in made}
    rows = [_operation(statement, tables) for statement in statements]
    if not rows:
        return "pass"
    if change.concurrently:
        rows = ["with op.get_context().autocommit_block():", *("    " + row for row in rows)]
    return "\n    ".join(rows)


def _operation(statement: str, tables: Mapping[str, str]) -> str:
    index = created_index(statement)
    if index is not None:
        return _create(index)
    dropped = dropped_index(statement)
    if dropped is not None:
        schema, name, concurrently = dropped
        more = f', table_name="{tables[name]}"' if name in tables else ""
        more += f', schema="{schema}"' if schema else ""
        return f'op.drop_index("{name}"{more}{", postgresql_concurrently=True" if concurrently else ""})'
    return f"op.execute({_constant(statement.strip().rstrip(';'))})"


def _constant(statement: str) -> str:
    """Write a statement as a constant that SQLAlchemy takes as it is, colons included."""
    text = BIND.sub(r"\\:\1", ESCAPED.sub(r"\\\1", statement)).replace("\\", "\\\\")
    if '"' not in text and "\n" not in text:
        return f'"{text}"'
    quoted = text.replace('"""', '\\"\\"\\"')
    return f'"""{quoted[:-1]}\\""""' if quoted.endswith('"') else f'"""{quoted}"""'


def _create(index: CreateIndex) -> str:
    columns = ", ".join(f'"{column}"' for column in index.columns)
    more = ", unique=True" if index.unique else ""
    more += f', schema="{index.schema}"' if index.schema else ""
    more += ", postgresql_concurrently=True" if index.concurrently else ""
    return f'op.create_index("{index.name}", "{index.table}", [{columns}]{more})'
