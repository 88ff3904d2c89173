"""Who may do what: each finding from a catalog where it is so, and none where it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from reached import Reached

from neondba.access.audit_results import Danger, RoleAudit, RoleFinding
from neondba.core.problem import ArgumentProblem, NotFoundProblem
from neondba.core.secret import Secret
from neondba.postgres import binaries
from neondba.postgres.connect import connect, trusted
from neondba.postgres.role_facts import read
from neondba.postgres.scratch import scratch_server

PASSWORD = "drawn" + "4Chance"

FILL = f"""
create table note (id int primary key, user_id text, body text);
alter table note enable row level security;
create policy own on note using (user_id = current_setting('app.user', true));
create table rate (x int);
grant select on rate to public;
grant update (x) on rate to public;
create table "Odd ""name" (x int);
grant delete on "Odd ""name" to public;
create schema open_house;
grant usage, create on schema open_house to public;
create role plain login password '{PASSWORD}';
create role strong login bypassrls createrole password '{PASSWORD}';
create role climber login password '{PASSWORD}';
grant strong to climber with inherit false, set true;
create role sneak login password '{PASSWORD}';
grant strong to sneak with inherit false, set false, admin true;
create role editors;
grant update on note to editors;
create role writer login password '{PASSWORD}';
grant editors to writer;
grant select on note to writer with grant option;
create function loose() returns void language sql security definer as 'delete from rate';
create function tight() returns void language sql security definer
  set search_path = pg_catalog, public, pg_temp as 'delete from rate';
create function house() returns void language sql security definer set search_path = open_house, pg_temp
  as 'select 1';
create function kept() returns void language sql security definer as 'delete from rate';
revoke execute on function kept() from public;
create function plain_one() returns int language sql as 'select 1';
alter default privileges in schema public grant select on tables to public;
"""


@pytest.fixture(scope="module")
def filled(desk: Reached) -> Iterator[Reached]:
    """A database with one of each fault, and a role that the API made."""
    desk.call("branch.create", name="office")
    desk.sql(FILL, "office")
    with desk.client() as client:
        branch = client.find_branch(client.project(desk.id), "office")
        client.create_role(desk.id, branch.id, "from_api")
    yield desk
    desk.call("branch.delete", name="office")


@pytest.fixture(scope="module")
def audited(filled: Reached, tmp_path_factory: pytest.TempPathFactory) -> RoleAudit:
    """The audit with proof, in a folder whose two files share one login."""
    folder = tmp_path_factory.mktemp("code")
    (folder / ".env").write_text(f"DATABASE_URL={filled.url('office')}\n")
    (folder / ".env.staging").write_text(f"DATABASE_URL={filled.url('main')}\n")
    (folder / ".env.example").write_text("DATABASE_URL=postgresql://plain:example@host/db\n")
    return filled.call("role.audit", folder=folder, branch="office", prove=True)


def found(audit: RoleAudit, code: str, role: str | None = None) -> list[RoleFinding]:
    return [each for each in audit.findings if each.code == code and (role is None or role in each.roles)]


def one(audit: RoleAudit, code: str, role: str | None = None) -> RoleFinding:
    [finding] = found(audit, code, role)
    return finding


def evidence(finding: RoleFinding) -> str:
    return " ".join(f"{each.kind}: {each.said}" for each in finding.evidence)


def test_what_is_dangerous_comes_first(audited: RoleAudit) -> None:
    order = [list(Danger).index(each.danger) for each in audited.findings]
    assert order == sorted(order)
    assert audited.as_text(100).splitlines()[2].startswith("1. HIGH")


def test_a_role_that_the_api_made_reaches_everything(audited: RoleAudit) -> None:
    finding = one(audited, "login-reaches-everything", "from_api")
    assert finding.danger is Danger.HIGH
    assert "from_api is a member of neon_superuser" in evidence(finding)


def test_policies_do_not_count_for_who_bypasses_them_and_the_server_shows_it(audited: RoleAudit) -> None:
    for role in ("strong", "from_api", "neondb_owner"):
        finding = one(audited, "login-bypasses-policies", role)
        assert f"shown: Acting as {role}, row_security_active('public.note') is False" in evidence(finding)
    assert not found(audited, "login-bypasses-policies", "plain")


def test_becoming_a_stronger_role_is_shown_by_doing_it(audited: RoleAudit) -> None:
    climber = one(audited, "login-becomes-stronger", "climber")
    assert "Logged in as climber on a copy of the branch, set role strong went through" in evidence(climber)
    assert climber.mend == ("revoke strong from climber;",)
    sneak = one(audited, "login-becomes-stronger", "sneak")
    assert "granting it to itself and set role strong went through" in evidence(sneak)
    assert not found(audited, "login-becomes-stronger", "writer")


def test_what_everybody_may_do_with_tables_is_shown_by_a_role_that_was_granted_nothing(
    audited: RoleAudit,
) -> None:
    reads, writes = one(audited, "public-reads"), one(audited, "public-writes")
    assert "reading public.rate went through" in evidence(reads)
    assert reads.mend == ("revoke select on public.rate from public;",)
    assert 'revoke delete on public."Odd ""name" from public;' in writes.mend
    assert "revoke update (x) on public.rate from public;" in writes.mend
    assert "plain" in reads.then
    assert "neondb_owner" not in reads.then


def test_a_schema_in_which_everybody_makes_tables_is_found_and_shown(audited: RoleAudit) -> None:
    finding = one(audited, "public-creates-in-schema")
    assert "open_house" in finding.said
    assert "making a table there went through" in evidence(finding)


def test_functions_with_their_owners_rights_need_a_path_of_their_own(audited: RoleAudit) -> None:
    said = " ".join(each.said for each in found(audited, "definer-path-mutable"))
    assert "public.loose()" in said
    assert "public.house() run code of their own" in said
    assert "public.tight()" not in said
    assert "public.kept()" not in said
    opened = " ".join(each.said for each in found(audited, "definer-open-to-all"))
    assert "public.tight()" in opened
    assert "public.kept()" not in opened


def test_what_will_be_open_later_and_what_may_be_handed_out_are_named(audited: RoleAudit) -> None:
    assert "All tables that neondb_owner makes in schema public" in one(audited, "public-by-default").said
    assert one(audited, "role-hands-out").roles == ("writer",)


def test_one_credential_in_two_environments_is_found_and_never_printed(
    audited: RoleAudit, filled: Reached
) -> None:
    finding = one(audited, "login-shared-by-environments")
    assert ".env, .env.staging log in with neondb_owner and the very same password" in finding.said
    assert finding.danger is Danger.HIGH
    branches = one(audited, "password-shared-by-branches", "neondb_owner")
    assert {"office", "main"} <= set(re.findall(r"\w+", branches.said))
    password = filled.url("office").split(":")[2].split("@")[0]
    assert password not in audited.model_dump_json() + audited.as_text(100) + audited.as_sql()


def test_the_matrix_sums_up_effective_rights(audited: RoleAudit) -> None:
    rows = {(each.role, each.schema_name): each for each in audited.matrix}
    assert (rows["writer", "public"].reads, rows["writer", "public"].writes) == (2, 3)
    assert (rows["neondb_owner", "public"].owns, rows["neondb_owner", "public"].of) == (3, 3)
    assert rows["plain", "open_house"].creates
    assert not rows["plain", "public"].creates


def test_the_view_of_one_role_says_by_what_it_has_each_right(filled: Reached, tmp_path: Path) -> None:
    audit = filled.call("role.audit", folder=tmp_path, branch="office", role="writer")
    [row] = [each for each in audit.matrix if each.schema_name == "public"]
    rights = {each.tables: (each.may, each.by) for each in row.rights}
    assert rights["public.note",] == ("select, update", "by editors, its own grant")
    assert rights["public.rate",] == ("select, update", "by PUBLIC")
    assert [each.name for each in audit.roles] == ["writer"]
    assert not found(audit, "login-becomes-stronger")


def test_without_proof_what_cannot_be_acted_is_said_to_be_unchecked(filled: Reached, tmp_path: Path) -> None:
    audit = filled.call("role.audit", folder=tmp_path, branch="office")
    said = evidence(one(audit, "login-bypasses-policies", "strong"))
    assert "not checked: Acting as strong: permission denied" in said
    assert "--prove" in said


def test_a_login_nobody_has_counted_long_enough_is_no_finding(audited: RoleAudit) -> None:
    assert not found(audited, "login-unused")
    assert any("plain" in each and "are used" in each for each in audited.not_checked)


def test_a_role_that_is_not_there_is_a_problem(filled: Reached) -> None:
    with pytest.raises(NotFoundProblem, match="has no role nobody_such"):
        filled.call("role.audit", branch="office", role="nobody_such")


def test_the_proposal_mends_what_it_names(filled: Reached, audited: RoleAudit, tmp_path: Path) -> None:
    """Run it on a branch: what only its owner may not do is left out."""
    filled.call("branch.create", name="mended", parent="office")
    try:
        filled.sql(audited.as_sql(), "mended")
        after = filled.call("role.audit", folder=tmp_path, branch="mended")
    finally:
        filled.call("branch.delete", name="mended")
    left = {each.code for each in after.findings}
    gone = {
        "public-reads",
        "public-writes",
        "public-creates-in-schema",
        "public-by-default",
        "role-hands-out",
    }
    assert not left & (gone | {"definer-path-mutable", "definer-open-to-all", "login-becomes-stronger"})


def test_an_end_is_advised_only_where_the_server_takes_it(filled: Reached, audited: RoleAudit) -> None:
    finding = one(audited, "password-never-expires")
    assert "plain" in finding.roles
    assert not {"neondb_owner", "from_api"} & set(finding.roles)
    for statement in finding.mend:
        filled.sql(f"begin; {statement} rollback", "office")
    kept = {each.finding: each for each in audited.accepted}
    assert "Neon made the role" in kept["password-never-expires:neondb_owner"].reason
    assert kept["password-never-expires:from_api"].reason.endswith("role rotate from_api --no-overlap")


def test_what_is_accepted_with_a_reason_is_no_finding(filled: Reached, tmp_path: Path) -> None:
    file = tmp_path / "neondba.toml"
    file.write_text(
        '[access.accepted]\n"password-never-expires:plain" = "by calendar"\n'
        '"public-writes" = "a lab"\n"public-reads:nobody" = "odd"\n'
    )
    audit = filled.call("role.audit", folder=tmp_path, branch="office")
    assert not found(audit, "public-writes")
    assert "plain" not in one(audit, "password-never-expires").roles
    reasons = {each.finding: each.reason for each in audit.accepted}
    assert reasons["public-writes"] == "a lab"
    assert reasons["password-never-expires:plain"] == "by calendar"
    assert '"public-reads:nobody" in' in " ".join(audit.not_checked)
    file.write_text('[access.accepted]\n"public-writes" = " "\n')
    with pytest.raises(ArgumentProblem, match="has no reason"):
        filled.call("role.audit", folder=tmp_path, branch="office")


@pytest.mark.parametrize("major", sorted({*binaries.majors(), *([15] if binaries._folder(15) else [])}))
def test_membership_is_followed_as_the_release_does(major: int) -> None:
    """Before 16 a role that does not inherit may still act as what it is a member of."""
    with scratch_server(major) as url, connect(Secret(url.reveal())) as session:
        session.execute(
            trusted(
                "create role top; create role middle; create role low login noinherit;"
                "grant top to middle with admin option; grant middle to low"
            )
        )
        facts = read(session)
    reach = {(row["role"], row["target"]): row for row in facts.of("reach")}
    row = reach["low", "top"]
    assert (row["uses"], row["sets"], row["grants"]) == (False, True, True)
    assert row["path"] == ["low", "middle", "top"]
    assert (reach["middle", "top"]["uses"], facts.refused.keys()) == (True, {"counted"})
