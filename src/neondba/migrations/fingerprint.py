"""A schema in sixteen digits, so that a target that has moved is noticed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection
from pathlib import Path

from neondba.postgres.catalog import Attributes, Catalog

_PARTS = r"(?=$|[. ]|_(?:id_)?seq\b|_pkey\b|_pk\b|_pkc\b|_s_idx\b)"


def users(catalog: Catalog, own_tables: Collection[str]) -> Catalog:
    """Leave out the migration tool's own tables with what hangs on them, and a schema made for them."""
    own = [re.escape(table) + _PARTS for table in own_tables]
    schemas = {table.partition(".")[0] for table in own_tables} - {"public"}
    own += [rf"(?:schema )?{re.escape(schema)}(?=$|[. ])" for schema in schemas]
    if not own:
        return catalog
    ours = re.compile(rf"(?:^|(?<= ))(?:{'|'.join(own)})")
    return Catalog(
        objects={
            kind: {name: value for name, value in named.items() if not ours.search(name)}
            for kind, named in catalog.objects.items()
        }
    )


def fingerprint(catalog: Catalog) -> str:
    """Hash what a schema consists of; where a column stands in its table does not count."""
    plain = {
        kind: {name: _attributes(value) for name, value in sorted(named.items())}
        for kind, named in sorted(catalog.objects.items())
        if named
    }
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def _attributes(value: Attributes) -> Attributes:
    return {key: each for key, each in value.items() if key != "position"}


def content_of(files: Collection[Path]) -> str:
    """Hash the files of one migration, so that a later change of them is noticed."""
    found = hashlib.sha256()
    for file in files:
        found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()
