"""Where a folder's files of variables lie: those that git ignores are the ones that are used."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from neondba.project.tree import PASSED_BY

LARGEST: Final = 1 << 20
"""Bytes: what is larger is no file of variables."""
NAME: Final = re.compile(r"\.env(?:\..+)?|.+\.env|\.dev\.vars")


def env_paths(folder: Path) -> Iterator[Path]:
    """Find every file of the `.env` kind below a folder; links are not followed."""
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(f for f in folders if f not in PASSED_BY and not Path(place, f).is_symlink())
        for name in sorted(files):
            path = Path(place, name)
            if NAME.fullmatch(name) and path.is_file() and not path.is_symlink():
                yield path
