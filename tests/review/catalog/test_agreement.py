"""Rules over a database beside rules over files: one finding for one cause, at the place in the project."""

from __future__ import annotations

from review_bench import Bench

from neondba.project.database import NO_DATABASE, Database
from neondba.project.facts import Facts
from neondba.project.tree import MemoryTree
from neondba.review.engine import run
from neondba.review.rule import rules

SCHEMA = """create table users (id bigint primary key);
create table items (
  id bigint primary key,
  owner_id bigint not null references users (id)
);
create index items_owner on items (owner_id);
"""
MODELS = """from sqlmodel import Field, SQLModel


class Users(SQLModel, table=True):
    __tablename__ = "users"
    id: int | None = Field(default=None, primary_key=True)


class Items(SQLModel, table=True):
    __tablename__ = "items"
    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="users.id", index=True)
"""


def test_what_the_files_say_too_is_one_finding_that_is_shown(bench: Bench) -> None:
    bare = SCHEMA.replace("create index items_owner on items (owner_id);\n", "")
    bench.execute(bare)
    outcome = bench.outcome("NDB701", "NDB801", files={"schema.sql": bare})
    [finding] = outcome.findings
    assert (finding.rule, finding.path, finding.line) == ("NDB701", "schema.sql", 4)
    assert finding.evidence.kind == "shown"
    assert "items_owner_id_fkey" in finding.evidence.text


def test_an_index_that_only_the_model_has_is_missed_at_the_models_line(bench: Bench) -> None:
    bench.execute(SCHEMA.replace("create index items_owner on items (owner_id);\n", ""))
    outcome = bench.outcome("NDB701", "NDB801", files={"app/models.py": MODELS})
    [finding] = outcome.findings
    assert (finding.rule, finding.path, finding.line) == ("NDB801", "app/models.py", 12)


def test_what_the_project_has_answered_stays_answered(bench: Bench) -> None:
    bare = SCHEMA.replace("create index items_owner on items (owner_id);\n", "")
    answered = bare.replace(
        "  owner_id", "  -- neondba: ignore[NDB701] never deleted, never asked for by owner\n  owner_id"
    )
    bench.execute(bare)
    outcome = bench.outcome("NDB701", "NDB801", files={"schema.sql": answered})
    assert outcome.findings == []
    assert [s.rule for s in outcome.suppressed] == ["NDB701"]


def test_a_finding_without_a_file_can_be_answered_in_the_settings(bench: Bench) -> None:
    bench.execute("create table loose (id int)")
    settings = '[review.ignore]\n"NDB740:database:public.loose" = "a scratch table"\n'
    outcome = bench.outcome("NDB740", files={"neondba.toml": settings})
    assert outcome.findings == []
    assert [s.path for s in outcome.suppressed] == ["database:public.loose"]


def test_two_indexes_in_one_line_are_two_findings(bench: Bench) -> None:
    sql = "create table t (id int primary key, a int); create index t_a on t (a); create index t_b on t (a); "
    sql += "create index t_c on t (a);"
    bench.execute(sql)
    findings = bench.outcome("NDB802", files={"schema.sql": sql}).findings
    assert len(findings) == 2
    assert {(f.path, f.line) for f in findings} == {("schema.sql", 1)}


def test_without_a_database_all_its_rules_share_one_line() -> None:
    live = [rule for rule in rules().values() if "```sql fault" in rule.page]
    outcome = run(MemoryTree({}), live)
    [gap] = outcome.not_checked
    assert gap.missing == NO_DATABASE
    assert str(len(live)) in gap.what


def test_a_schema_that_nobody_has_used_says_nothing_of_counters_and_logins(bench: Bench) -> None:
    bench.execute(
        "create table notes (id int primary key, user_id text); alter table notes enable row level security; "
        "create policy own on notes using (user_id = (select current_setting('app.user')))"
    )
    assert bench.objects("NDB447") == {"public.notes"}
    outcome = bench.outcome("NDB447", "NDB742", "NDB804", "NDB812", used=False)
    assert outcome.findings == []
    [gap] = outcome.not_checked
    assert "add --branch" in gap.missing


def test_young_counters_prove_no_index_unused(bench: Bench) -> None:
    bench.execute("create table t (id int primary key, a int); create index t_a on t (a); select * from t")
    outcome = bench.outcome("NDB804", days=2.5)
    assert outcome.findings == []
    assert "began 2.5 days ago" in outcome.not_checked[0].missing


def test_what_the_server_will_not_tell_costs_only_the_rules_that_need_it() -> None:
    tree = MemoryTree({})
    facts = Facts(tree)
    found = {"extensions": [], "sequences": []}
    facts.put(Database, Database("a branch", True, found, {"slots": "permission denied"}))
    outcome = run(tree, [rules()[code] for code in ("NDB748", "NDB816")], facts)
    assert [gap.what for gap in outcome.not_checked] == ["NDB816 idle-replication-slot"]
    assert "permission denied" in outcome.not_checked[0].missing


def test_looking_changes_nothing_of_the_session(bench: Bench) -> None:
    bench.execute("create schema own; create table own.t (id int primary key); set search_path = own, public")
    bench.database()
    bench.execute("insert into t values (1)")
    row = bench.owner.execute("select count(*) as n from own.t").fetchone()
    assert row == {"n": 1}
