"""A constraint was never checked against the rows that were there.

`NOT VALID` holds for new rows. Old ones may break it, the planner does not believe it, and a restore of a
dump fails on them. `NOT ENFORCED` holds for none.

## Instead

```sql fault object=public.orders.orders_user_fkey,public.orders.orders_total_check
create table users (id bigint primary key);
create table orders (id bigint primary key, user_id bigint, total numeric);
insert into orders values (1, null, 5);
alter table orders add constraint orders_user_fkey foreign key (user_id) references users (id) not valid;
alter table orders add constraint orders_total_check check (total >= 0) not valid;
```

```sql repair
alter table orders validate constraint orders_user_fkey;
alter table orders validate constraint orders_total_check;
```

## When it does not matter

Between two migrations of one release: the first adds the constraint, the second validates it.
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Constraint
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule
from neondba.review.rules.migrations._shared import quoted


@rule("NDB741", Category.SCHEMA, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find constraints that are not validated or not enforced."""
    for constraint in database.constraints:
        if not constraint.enforced:
            yield _finding(
                database,
                places,
                constraint,
                "holds for no row: it is not enforced",
                "alter constraint {} enforced",
            )
        elif not constraint.validated:
            yield _finding(
                database,
                places,
                constraint,
                "holds for new rows only: those that were there before may break it, and a restore then "
                "fails",
                "validate constraint {}",
            )


def _finding(database: Database, places: Places, constraint: Constraint, what: str, action: str) -> Finding:
    return shown(
        places.constraint(constraint.relation, constraint.name, constraint.columns),
        f"The {constraint.kind} constraint `{constraint.name}` of `{plain(constraint.relation)}` {what}.",
        ("Find the rows that break it, and mend them.", "Then validate it: writes go on meanwhile."),
        f"alter table {constraint.relation} {action.format(quoted(constraint.name))};",
        seen=f"{constraint.definition}; convalidated = {str(constraint.validated).lower()}",
        database=database,
    )
