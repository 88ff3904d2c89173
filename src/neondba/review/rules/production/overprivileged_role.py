"""The role of the running program gets all privileges.

Whatever reaches the program's SQL, an injection or a mistake, may then drop tables, truncate them and
create functions. A program that serves users needs to read and write rows; a second role changes the
schema, when a migration runs.

## Instead
```sql bad path=deploy/roles.sql case=all
GRANT\x20ALL PRIVILEGES ON ALL TABLES IN SCHEMA public TO shop_app;  -- <- finding
```
```sql good path=deploy/roles.sql case=all
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO shop_app;
```
```python bad path=app/setup_roles.py case=create
async def grant(conn, role):
    await conn.execute(text(f'GRANT\x20CREATE ON SCHEMA public TO "{role}"'))  # <- finding
```
## When it does not matter
The roles of migrations, owners and administrators, roles of the platform, tests and documents:
```sql good path=deploy/roles.sql case=migrator
GRANT ALL PRIVILEGES ON ALL TABLES IN SCHEMA public TO shop_migrator;
GRANT ALL ON ALL TABLES IN SCHEMA public TO postgres, service_role;
GRANT USAGE ON SCHEMA public TO shop_app;
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.project.places import is_document, is_test
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

_GRANT = re.compile(
    r"GRANT\s+(?P<what>ALL(?:\s+PRIVILEGES)?\s+ON\s+(?:ALL\s+TABLES\s+IN\s+)?SCHEMA|CREATE\s+ON\s+SCHEMA|"
    r"ALL(?:\s+PRIVILEGES)?\s+ON\s+ALL\s+TABLES\s+IN\s+SCHEMA)\s+\"?(?P<schema>[\w{}]+)\"?\s+TO\s+"
    r"(?P<role>[\w\"{}.,\s]+?)(?=[;'\"]?\s*(?:;|'|\"|\)|WITH|--|$))",
    re.IGNORECASE | re.MULTILINE,
)
_ADMIN = re.compile(
    r"migrat|owner|admin|postgres|service_role|superuser|deploy|\bdba\b|supabase|dashboard", re.IGNORECASE
)


@rule("NDB909", Category.PRODUCTION, Severity.MEDIUM)
def check(tree: Tree) -> Iterator[Finding]:
    """Report the first such grant of each file."""
    for path in tree.named(suffix=(".sql", ".py", ".sh", ".ts", ".js")):
        text = tree.text(path)
        if not text or not re.search(r"GRANT|grant", text) or is_test(path) or is_document(path):
            continue
        for match in _GRANT.finditer(text):
            role = match["role"].strip(" \"'\n")
            if role and not _ADMIN.search(role):
                yield _finding(path, text.count("\n", 0, match.start()) + 1, role, match["schema"])
                break


def _finding(path: str, line: int, role: str, schema: str) -> Finding:
    name = role if re.fullmatch(r"\w+", role) else f'"{role}"'
    return Finding(
        path,
        line,
        f"{role.strip('{}')} may create and drop what it likes in the schema {schema}: a mistake or an "
        "injection in the "
        "running program reaches the tables themselves.",
        steps=("Grant rows only.", "Let a second role, which only migrations use, own the tables."),
        snippet=f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {name};",
    )
