"""Branches whose columns are masked."""

from __future__ import annotations

import pytest

from neondba.core.problem import Problem
from neondba.local.api.call import Refusal
from neondba.local.control import masking
from neondba.local.control.actions import anonymize
from neondba.local.state.tables import BranchRow, OperationRow
from neondba.local.storage.point import Point

PEOPLE = (
    "create table people (id int primary key, email text unique, name varchar(5), phone text, born date,"
    " balance int not null, kind text generated always as (upper(name)) stored)",
    "insert into people select n, 'user' || n || '@real.test', 'Real', '+4955512' || n, '1980-05-05', n * 100"
    " from generate_series(1, 50) n",
    "create materialized view mails as select email from people",
    "create table audit (old text)",
    "create function remember() returns trigger language plpgsql as"
    " $$ begin insert into audit values (old.email); return new; end $$",
    "create trigger remember before update on people for each row execute function remember()",
    "alter table people enable row level security",
    "create table teams (code text primary key)",
    "create table members (team text references teams, person int references people)",
    "insert into teams values ('red'), ('blue')",
    "insert into members values ('red', 1), ('blue', 2)",
)


def rule(column, function=None, *, table="people", **more):
    where = {"database_name": "neondb", "schema_name": "public", "table_name": table, "column_name": column}
    return {**where, **({"masking_function": function} if function else {}), **more}


RULES = [
    rule("email", "anon.fake_email()"),
    rule("name", "anon.fake_first_name()"),
    rule("phone", "anon.partial(phone, 3, '***', 1)"),
    rule("born", "anon.dnoise(born, '30 days'::interval)"),
    rule("balance", masking_value="7"),
]


@pytest.fixture(scope="module")
def made(inside):
    made = inside.project()
    with inside.sql(made["branch"]["id"]) as connection:
        for statement in PEOPLE:
            connection.execute(statement)
    return made


def create(inside, made, name, rules, *, start=True):
    project_id = made["project"]["id"]
    body = {
        "branch_create": {"branch": {"name": name}, "endpoints": [{"type": "read_write"}]},
        "masking_rules": rules,
        "start_anonymization": start,
    }
    branch_id = inside.call("createProjectBranchAnonymized", body, project_id=project_id)["branch"]["id"]
    inside.settled(project_id)
    return {"project_id": project_id, "branch_id": branch_id}


def status(inside, path):
    return inside.call("getAnonymizedBranchStatus", **path)


@pytest.fixture(scope="module")
def masked(inside, made):
    return create(inside, made, "masked", RULES)


def test_every_rule_is_applied_and_the_parent_keeps_its_rows(inside, made, masked):
    shown = status(inside, masked)
    assert (shown["state"], shown.get("status_message")) == ("anonymized", None)
    assert shown["last_run"]["masked_columns"] == 5
    with inside.sql(masked["branch_id"]) as connection:
        found = connection.execute("select email, name, phone, born, balance, kind from people").fetchall()
        assert len({email for email, *_ in found}) == 50
        assert not any(email.endswith("real.test") for email, *_ in found)
        assert {name for _, name, *_ in found} != {"Real"}
        assert all(kind == name.upper() for _, name, _, _, _, kind in found)
        assert all(phone.startswith("+49***") for _, _, phone, *_ in found)
        assert len({born for _, _, _, born, *_ in found}) > 1
        assert {balance for *_, balance, _ in found} == {7}
    with inside.sql(made["branch"]["id"]) as connection:
        row = connection.execute("select count(*) from people where email like '%real.test'").fetchone()
    assert row == (50,)


@pytest.mark.shows("masking.history")
def test_no_copy_of_what_was_there_is_left_in_the_branch(inside, masked):
    with inside.sql(masked["branch_id"]) as connection:
        assert connection.execute("select count(*) from audit").fetchone() == (0,)
        assert connection.execute("select count(*) from mails where email like '%real%'").fetchone() == (0,)
        stats = connection.execute(
            "select most_common_vals::text, histogram_bounds::text from pg_stats"
        ).fetchall()
        assert "real.test" not in str(stats)
        assert connection.execute("select 1 from pg_namespace where nspname = 'anon'").fetchone() is None
    compute = inside.plane.computes.start(inside.timeline(masked["branch_id"]))
    with compute.admin("neondb") as admin:
        admin.execute("checkpoint")
        file = admin.execute("select pg_relation_filepath('public.people')").fetchone()[0]
    assert b"real.test" not in (compute.place.data / file).read_bytes()


@pytest.mark.shows("masking.history")
def test_no_point_before_the_masking_can_be_reached(inside, made, masked):
    with inside.plane.state.read() as rows:
        done = rows.get(BranchRow, masked["branch_id"])
        first = rows.all(OperationRow, branch_id=masked["branch_id"])[0]
    assert done.parent_id == made["branch"]["id"]
    for point in (Point(lsn=done.parent_lsn), Point(timestamp=inside.clock.now().replace(year=2020))):
        with pytest.raises(Problem):
            inside.plane.history.make(done.timeline_id, point, "never")
    assert first.status == "finished"


@pytest.mark.shows("masking.history")
def test_a_masked_branch_is_marked_and_never_restored(inside, made, masked):
    project_id, branch_id = masked["project_id"], masked["branch_id"]
    listed = inside.call("listProjectBranches", project_id=project_id)["annotations"]
    assert listed[branch_id]["value"] == {"anonymized": "true"}
    assert made["branch"]["id"] not in listed
    with pytest.raises(Refusal, match="not masked") as refused:
        inside.call("restoreProjectBranch", {"source_branch_id": made["branch"]["id"]}, **masked)
    assert refused.value.status == 422


def test_masking_again_is_allowed_and_rules_can_be_replaced(inside, made):
    path = create(inside, made, "later", [], start=False)
    assert status(inside, path)["state"] == "initialized"
    with pytest.raises(Refusal, match="nothing to mask"):
        inside.call("startAnonymization", **path)
    for function in ("anon.hash(email)", "anon.pseudo_email(email)"):
        inside.call("updateMaskingRules", {"masking_rules": [rule("email", function)]}, **path)
        assert inside.call("getMaskingRules", **path)["masking_rules"][0]["masking_function"] == function
        assert inside.call("startAnonymization", **path)["state"] == "anonymizing"
        inside.settled(path["project_id"])
        assert status(inside, path)["state"] == "anonymized"
    with inside.sql(path["branch_id"]) as connection:
        row = connection.execute("select count(*) from people where email like '%@example.%'").fetchone()
    assert row == (50,)


UNFIT = (
    (rule("email", "anon.fake_company()"), ("public.people", "email", "anon.hash(email)")),
    (rule("name", "null"), None),
    (rule("balance", "null"), ("public.people.balance", "null")),
    (
        rule("code", "anon.random_string(8)", table="teams"),
        ("members_team_fkey", "public.members.team", "anon.hash"),
    ),
    (rule("balance", "anon.fake_city()"), ("public.people", "balance")),
)


@pytest.mark.parametrize(("wrong", "words"), UNFIT)
def test_a_mask_that_breaks_the_table_is_an_error_that_says_where(inside, made, wrong, words):
    name = f"{wrong['table_name']} {wrong['column_name']} {wrong['masking_function']}"
    path = create(inside, made, name, [wrong])
    shown = status(inside, path)
    if words is None:
        assert shown["state"] == "anonymized", shown
        return
    assert shown["state"] == "error"
    assert all(word in shown["status_message"] for word in words), shown["status_message"]
    assert shown["failed_at"]
    with inside.sql(path["branch_id"]) as connection:
        row = connection.execute("select count(*) from people where email like '%real.test'").fetchone()
    assert row == (50,)


def test_both_sides_of_a_key_may_be_masked_alike(inside, made):
    rules = [
        rule("code", "anon.hash(code)", table="teams"),
        rule("team", "anon.hash(team)", table="members"),
    ]
    path = create(inside, made, "keys", rules)
    assert status(inside, path)["state"] == "anonymized"
    with inside.sql(path["branch_id"]) as connection:
        row = connection.execute("select count(*) from members join teams on team = code").fetchone()
    assert row == (2,)


UNKNOWN = (
    (rule("mail", "anon.fake_email()"), "there are id, email, name"),
    (rule("email", "anon.fake_email()", table="persons"), "schema public has audit, members, people, teams"),
    (rule("email", "anon.fake_email()", database_name="shop"), "there are postgres, neondb"),
    (rule("email", "anon.partial(fone, 1, 'x', 1)"), "there is no column fone"),
    (rule("kind", "anon.fake_email()"), "is generated"),
    (rule("email", "anon.partial(email)"), "anon.partial(text) does not exist"),
)


@pytest.mark.parametrize(("wrong", "words"), UNKNOWN)
def test_names_that_do_not_exist_are_told_with_those_that_do(inside, made, masked, wrong, words):
    with pytest.raises(Refusal) as refused:
        inside.call("updateMaskingRules", {"masking_rules": [wrong]}, **masked)
    assert refused.value.status == 400
    assert words in refused.value.message


def test_rules_that_never_fitted_are_an_initialization_error_until_replaced(inside, made):
    path = create(inside, made, "unfit", [rule("mail", "anon.fake_email()")])
    shown = status(inside, path)
    assert shown["state"] == "initialization_error"
    assert "there is no column mail" in shown["status_message"]
    with pytest.raises(Refusal, match="cannot start") as refused:
        inside.call("startAnonymization", **path)
    assert refused.value.status == 409
    inside.call("updateMaskingRules", {"masking_rules": RULES}, **path)
    assert status(inside, path)["state"] == "initialized"


REFUSED = (
    [rule("email", "anon.fake_mail()")],
    [rule("email", "pg_read_file('/etc/passwd')")],
    [rule("email", "anon.hash(email); drop table people")],
    [rule("email", "(select secret from vault)")],
    [rule("email", "anon.hash(email")],
    [rule("email")],
    [rule("email", "anon.fake_email()", masking_value="x")],
    [rule("", "anon.fake_email()")],
    [rule("email", "anon.fake_email()"), rule("email", "anon.hash(email)")],
)


@pytest.mark.parametrize("rules", REFUSED)
def test_rules_that_cannot_be_read_are_refused(inside, made, masked, rules):
    with pytest.raises(Refusal) as refused:
        inside.call("updateMaskingRules", {"masking_rules": rules}, **masked)
    assert refused.value.status == 400


def test_an_unknown_function_is_told_with_the_names_there_are(inside, made, masked):
    with pytest.raises(Refusal, match=r"anon\.fake_email, "):
        inside.call("updateMaskingRules", {"masking_rules": [rule("email", "anon.fake_mail()")]}, **masked)


def test_an_ordinary_branch_has_no_masking(inside, made):
    path = {"project_id": made["project"]["id"], "branch_id": made["branch"]["id"]}
    for call in ("getMaskingRules", "getAnonymizedBranchStatus", "startAnonymization"):
        with pytest.raises(Refusal, match="not an anonymized branch") as refused:
            inside.call(call, **path)
        assert refused.value.status == 404


def test_every_function_we_name_exists(inside, made):
    compute = inside.plane.computes.start(inside.timeline(made["branch"]["id"]))
    with compute.admin("neondb") as session, anonymize._furnished(session, "neondb", keep=False):
        found = session.execute(
            "select proname from pg_proc where pronamespace = 'anon'::regnamespace and proname !~ '^_'"
        ).fetchall()
    assert {name for (name,) in found} == set(masking.functions())


def test_a_masking_cut_short_is_done_at_the_next_start(fresh):
    inside = fresh()
    made = inside.project()
    with inside.sql(made["branch"]["id"]) as connection:
        for statement in PEOPLE[:2]:
            connection.execute(statement)
    path = create(inside, made, "cut", RULES[:1], start=False)
    inside.plane.close()
    with inside.plane.state.change() as rows:
        branch = rows.get(BranchRow, path["branch_id"])
        step = rows.all(OperationRow, branch_id=branch.id, action="apply_config")[-1]
        step.status, step.arguments = "running", '{"masking": "anonymize"}'
    inside.open()
    inside.settled(path["project_id"])
    assert status(inside, path)["state"] == "anonymized"
