"""Every command of Neon's official command line that concerns what the local Neon has, run unchanged.

A story is a list of commands and a word that each must say; each story has a branch of its own.
"""

from __future__ import annotations

import json
import shlex
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
INSPECTIONS = (
    *("table-sizes", "index-sizes", "unused-indexes", "seq-scans", "long-running-queries", "stalled-queries"),
    *("locks", "outliers", "calls", "lfc-hit-rate", "working-set", "vacuum-stats", "bloat"),
    *("replication-slots", "subscriptions"),
)
STORIES = {
    "account": [
        ("me", "local"),
        ("orgs list", "org-local"),
        ("api-keys list", "["),
        ("api-keys create --name ci", "ci"),
        ("api /users/me", "local"),
        ("api /projects/{project}/branches -X POST -F branch.name=by-api", "by-api"),
        ("api /regions -i", "200"),
        ("vpc endpoint list --region-id aws-us-east-2", "["),
        ("vpc project list --project-id {project}", "["),
    ],
    "projects": [
        ("projects list", "{project}"),
        ("projects get {project}", "shop"),
        ("projects update {project} --name store", "store"),
        ("projects update {project} --cu 0.5-2", "0.5"),
        ("projects create --name second --database shop --role seller", "seller"),
        ("ip-allow list --project-id {project}", "{project}"),
        ("ip-allow add 127.0.0.1 --project-id {project}", "127.0.0.1"),
        ("ip-allow remove 127.0.0.1 --project-id {project}", "{project}"),
        ("ip-allow reset --project-id {project}", "{project}"),
        ("operations list --project-id {project}", "finished"),
    ],
    "branches": [
        ("branches list --project-id {project}", "main"),
        ("branches create --project-id {project} --name twig --parent {branch}", "twig"),
        ("branches get twig --project-id {project}", "twig"),
        ("branches rename twig limb --project-id {project}", "limb"),
        (f"branches set-expiration limb --expires-at {TOMORROW} --project-id {{project}}", "limb"),
        ("branches reset limb --parent --project-id {project}", "limb"),
        ("branches add-compute limb --type read_only --cu 0.25 --project-id {project}", "read_only"),
        ("branches schema-diff main limb --project-id {project} --output table", ""),
        ("diff main --branch limb --project-id {project} --output table", ""),
        ("branches delete limb --project-id {project}", "limb"),
        ("branches create --project-id {project} --name bare --schema-only", "bare"),
        (f"branches create --project-id {{project}} --name brief --expires-at {TOMORROW}", "expires_at"),
        ("branches set-default {branch} --project-id {project}", "{branch}"),
        ("branches set-default main --project-id {project}", "main"),
    ],
    "roles-and-databases": [
        ("roles list --project-id {project} --branch {branch}", "neondb_owner"),
        ("roles create --name app --project-id {project} --branch {branch}", "app"),
        ("databases list --project-id {project} --branch {branch}", "neondb"),
        ("databases create --name shop --owner-name app --project-id {project} --branch {branch}", "shop"),
        ("databases delete shop --project-id {project} --branch {branch}", "shop"),
        ("roles delete app --project-id {project} --branch {branch}", "app"),
    ],
    "connection": [
        ("connection-string {branch} --project-id {project}", "sslmode=require"),
        ("connection-string {branch} --project-id {project} --pooled", "-pooler"),
        ("connection-string {branch} --project-id {project} --prisma", "connect_timeout"),
        ("connection-string {branch} --project-id {project} --ssl verify-full", "verify-full"),
        ("connection-string {branch} --project-id {project} --extended", "neondb_owner"),
        ("psql {branch} --project-id {project} -- -c 'select 40 + 2 as n'", "42"),
        ("psql {branch} --project-id {project} --pooled -- -c 'select 40 + 3 as n'", "43"),
        ("psql {branch}@{moment} --project-id {project} -- -c 'select count(*) from item'", "3"),
    ],
    "snapshots": [
        ("snapshots list --project-id {project}", "["),
        ("snapshots create --branch main --name before --project-id {project}", "before"),
        ("snapshots get before --project-id {project}", "before"),
        ("snapshots update before --name prior --project-id {project}", "prior"),
        ("snapshots restore prior --name again --project-id {project}", "again"),
        ("snapshots finalize again --project-id {project}", ""),
        ("snapshots schedule set --branch main --frequency daily --hour 3 --project-id {project}", ""),
        ("snapshots schedule get --branch main --project-id {project}", "daily"),
        ("snapshots delete prior --project-id {project}", ""),
    ],
    "restore": [
        (
            "branches restore {branch} ^self@{moment} --preserve-under-name kept --project-id {project}",
            "kept",
        ),
        ("branches restore {branch} main --project-id {project}", "{branch}"),
    ],
    "folder": [
        ("link --project-id {project} --org-id org-local-00000000 --branch {branch} --no-env-pull", ""),
        ("status", "{project}"),
        ("env pull --file .env.pulled", ""),
        ("checkout main --no-env-pull", "Checked out"),
        ("branches list", "main"),
        ("set-context --project-id {project}", ""),
    ],
    "what-is-not-here": [
        ("functions list --project-id {project} --branch {branch}", ""),
        ("buckets list --project-id {project} --branch {branch}", ""),
        ("neon-auth status --project-id {project} --branch {branch}", ""),
    ],
    "inspect": [
        (f"inspect db {name} --project-id {{project}} --branch {{branch}}", "") for name in INSPECTIONS
    ],
}


@pytest.fixture(scope="module")
def filled(url):
    """Put rows into the project's main branch; give a moment at which they were there."""
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("create table item as select generate_series(1, 3) as n")
        session.execute("create extension pg_stat_statements")
        session.execute("create extension neon")
        (moment,) = session.execute("select now() + interval '10 ms'").fetchone()
        session.execute("select pg_sleep(0.05)")
        session.execute("insert into item values (4)")
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_the_stories_hold_sixty_commands_at_least():
    assert shutil.which("node")
    assert len({words for story in STORIES.values() for words, _ in story}) >= 60


@pytest.mark.parametrize("story", STORIES)
def test_the_official_command_line_does_its_work(story, official, api, project, filled, tmp_path: Path):
    project_id = project["project"]["id"]
    body = {"branch": {"name": story}, "endpoints": [{"type": "read_write"}]}
    api("POST", f"/projects/{project_id}/branches", body)
    values = {"project": project_id, "branch": story, "moment": filled}
    for words, said in STORIES[story]:
        command = (
            words.replace("{project}", project_id).replace("{branch}", story).replace("{moment}", filled)
        )
        output = None if "--output" in command else "json"
        alone = command.startswith("psql ")
        done = official.run(*shlex.split(command), folder=tmp_path, output=output, alone=alone)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert said.format(**values) in done.stdout + done.stderr, f"{command}\n{done.stdout}{done.stderr}"
    if story == "folder":
        assert "DATABASE_URL=" in (tmp_path / ".env.pulled").read_text()
        assert json.loads((tmp_path / ".neon").read_text())["projectId"] == project_id
