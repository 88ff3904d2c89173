"""The numbers of a column are running out.

An `integer` ends at 2,147,483,647 and a `smallint` at 32,767. At the end every insert fails, and turning a
large column into `bigint` takes hours in which nobody may write. Sequences, serial and identity columns are
looked at, by the smaller of what the sequence and the column can hold.

## Instead

```sql fault object=public.events.id severity=critical
create table events (id integer generated always as identity primary key);
select setval('events_id_seq', 2147000000);
```

```sql repair
alter table events alter column id type bigint;
alter sequence events_id_seq as bigint;
```

```sql fault case=small object=public.badges.id severity=medium
create table badges (id smallserial primary key);
select setval('badges_id_seq', 20000);
```

```sql fault case=small object=public.badges.id severity=high
select setval('badges_id_seq', 26000);
```

```sql fault case=narrow-column object=public.visits.id severity=critical
create sequence numbers;
create table visits (id integer primary key default nextval('numbers'));
select setval('numbers', 2100000000);
```

```sql repair case=narrow-column
alter table visits alter column id type bigint;
```

## When it does not matter

Sequences that begin again, and less than half:

```sql silent case=half
create table events (id serial primary key);
select setval('events_id_seq', 1000000000);
create table fresh (id serial primary key);
create sequence rounds maxvalue 100 cycle;
create table turns (id integer primary key default nextval('rounds'));
select setval('rounds', 99);
create sequence down increment -1 minvalue 1 maxvalue 100 start 100;
create table lots (id integer primary key default nextval('down'));
select setval('down', 90);
create sequence below minvalue -100 maxvalue -1;
create table depths (id integer primary key default nextval('below'));
select setval('below', -90);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from neondba.project.catalog_objects import Sequence
from neondba.project.database import Database
from neondba.project.database_places import Places
from neondba.review.catalog import plain, shown
from neondba.review.finding import Category, Finding, Severity
from neondba.review.rule import rule

MOST = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}


@rule("NDB742", Category.SCHEMA, Severity.MEDIUM)
def check(database: Database, places: Places) -> Iterator[Finding]:
    """Find columns whose sequence has given out half of their numbers."""
    for sequence in database.in_use().sequences:
        end = min(sequence.most, MOST.get(sequence.column_type, sequence.most))
        if sequence.cycles or sequence.step < 0 or sequence.last_value is None or end <= 0:
            continue
        share = sequence.last_value / end
        if share >= 0.5:
            yield _finding(database, places, sequence, end, share)


def _finding(database: Database, places: Places, sequence: Sequence, end: int, share: float) -> Finding:
    left = max(0, end - sequence.last_value) // sequence.step if sequence.last_value else end
    return shown(
        places.column(sequence.relation, sequence.column),
        f"{left:,} numbers are left for `{plain(sequence.relation)}.{sequence.column}` "
        f"({sequence.column_type}): "
        f"{share:.0%} are given out. After the last one every insert fails.",
        (
            "Measure how fast they go: numbers given out a day.",
            "Make the column bigint in time; rehearse it on a branch, for it rewrites the table.",
        ),
        f"alter table {sequence.relation} alter column {sequence.column} type bigint;\n"
        f"alter sequence {sequence.name} as bigint;",
        seen=f"last_value of {sequence.name} is {sequence.last_value:,} of {end:,}",
        database=database,
        severity=Severity.CRITICAL if share >= 0.9 else Severity.HIGH if share >= 0.75 else None,
    )
