"""A policy asks for a setting that nothing in the project ever sets.

`current_setting('app.user_id', true)` is NULL until a transaction sets it, and NULL equals nothing. A
role that the policy binds then sees no row at all. Where the program works all the same, it logs in as
a role that policies do not bind, and the policy protects nobody.

## Instead

```sql bad path=migrations/002_rules.sql case=forgotten
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = current_setting('app.user_id', true));  -- <- finding
```

```python bad path=app/main.py case=forgotten
from fastapi import Depends, FastAPI
from sqlmodel import Session, select
from app.deps import CurrentUser, get_session
from app.models import Note

app = FastAPI()

@app.get("/notes")
def notes(user: CurrentUser, session: Session = Depends(get_session)):
    return session.exec(select(Note).where(Note.user_id == user.id)).all()
```

```sql good path=migrations/002_rules.sql case=set
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = current_setting('app.user_id', true));
```

```python good path=app/main.py case=set
from fastapi import Depends, FastAPI
from sqlalchemy import text
from sqlmodel import Session, select
from app.deps import CurrentUser, get_session
from app.models import Note

app = FastAPI()

@app.get("/notes")
def notes(user: CurrentUser, session: Session = Depends(get_session)):
    session.execute(text("SELECT set_config('app.user_id', :user, true)"), {"user": user.id})
    return session.exec(select(Note).where(Note.user_id == user.id)).all()
```

## When it does not matter

The platform sets it, as PostgREST does with a token's claims; and where the folder holds no program, the
one that sets it is elsewhere:

```sql good path=migrations/003_claims.sql case=platform
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = current_setting('request.jwt.claim.sub', true));
```

```sql good path=migrations/002_rules.sql case=alone
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (user_id = current_setting('app.user_id', true));
```
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from neondba.postgres.statement import CreatePolicy
from neondba.project.alembic_history import AlembicHistory
from neondba.project.routes import Routes
from neondba.project.row_security import RowSecurity
from neondba.project.tree import Tree
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

ASKED = re.compile(r"current_setting\(\s*'(?P<name>\w+\.[\w.]+)'", re.IGNORECASE)
SETS = re.compile(r"set_config|\bset\s+(?:local|session)\b", re.IGNORECASE)


@rule("NDB416", Category.ISOLATION, Severity.HIGH)
def check(security: RowSecurity, alembic: AlembicHistory, routes: Routes, tree: Tree) -> Iterator[Finding]:
    """Look for settings that policies read and no file writes."""
    if not routes.routes:
        return
    told: set[str] = set()
    for policy, path, line in _policies(security, alembic):
        for match in ASKED.finditer(f"{policy.using or ''} {policy.check or ''}"):
            setting = match["name"]
            if setting not in told and not setting.startswith("request.") and not _is_set(tree, setting):
                yield _finding(policy, path, line, setting)
            told.add(setting)


def _policies(security: RowSecurity, alembic: AlembicHistory) -> Iterator[tuple[CreatePolicy, str, int]]:
    for state in security.states:
        for placed in state.policies.values():
            if isinstance(placed.action, CreatePolicy):
                yield placed.action, placed.path, placed.line
    for _, revision in alembic.revisions:
        for operation in revision.upgrade:
            for statement in operation.statements:
                if isinstance(statement.action, CreatePolicy):
                    yield statement.action, revision.path, statement.line


def _is_set(tree: Tree, setting: str) -> bool:
    """Tell whether any file sets settings, or names this one other than to read it."""
    for path in tree.paths:
        text = tree.text(path) or ""
        if SETS.search(text) or setting in ASKED.sub("", text):
            return True
    return False


def _finding(policy: CreatePolicy, path: str, line: int, setting: str) -> Finding:
    call = f"SELECT set_config('{setting}', :user, true)"
    return Finding(
        path,
        line,
        f'Policy "{policy.name}" on {policy.table} asks for {setting}, which nothing in the project sets: a '
        "role that it binds sees no row, and one that it does not bind sees everyone's.",
        steps=(
            f"Set {setting} at the start of each transaction, to the user who sent the request.",
            "Let the program log in as a role that owns no table and has no BYPASSRLS.",
            "Prove it: neondba isolation prove",
        ),
        snippet=f'session.execute(text("{call}"), {{"user": user.id}})',
    )
