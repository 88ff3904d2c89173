"""A database, or a dump of one, is tracked by git.

It holds whatever was in it when it was committed: rows of users, hashes of passwords, sessions. Each
commit adds another whole copy to the history.

## Instead
```text bad path=backend/shop.db
SQLite format 3  # <- finding
```
```text good path=.gitignore
*.db
*.dump
```
## When it does not matter
Small files that tests read, and SQL that only makes tables:
```text good path=tests/fixtures/orders.sqlite
SQLite format 3
```
```sql good path=schema.sql
create table orders (id bigint primary key);
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.gitignore import Ignores
from neondba.project.places import is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.secrets._shared import is_kept

_DATABASE = re.compile(
    r"\.(?:db|sqlite3?|dump|pgdump|sql\.gz|bak)$|(?:^|/)(?:dump|backup)[^/]*\.sql$", re.IGNORECASE
)
_INNOCENT = re.compile(r"(?:^|/)(?:Thumbs|examples?|samples?|demo|seeds?|docs?)\b", re.IGNORECASE)


@rule("NDB117", Category.ENV, Severity.MEDIUM)
def check(tree: Tree, ignores: Ignores) -> Iterator[Finding]:
    """Report each file that looks like a database."""
    for path in tree.paths:
        if (
            not _DATABASE.search(path)
            or is_test(path)
            or _INNOCENT.search(path)
            or not is_kept(tree, ignores, path)
        ):
            continue
        if path.endswith(".sql") and not re.search(
            r"^(?:COPY|INSERT INTO)\b", tree.text(path) or "", re.MULTILINE
        ):
            continue
        name = path.rpartition("/")[2]
        yield Finding(
            path,
            1,
            f"git tracks {path}: everyone who clones the project gets the rows in it, and every version of "
            "them.",
            steps=(
                f"git rm --cached {path}",
                "Add its ending to .gitignore.",
                "Where it held users' data, rewrite the history.",
            ),
            snippet=f"*.{name.partition('.')[2]}",
            evidence=name,
            masked=True,
        )
