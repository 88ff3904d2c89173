"""Two branches of a fresh project, and what tests of merging ask of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neon_world import World

from neondba.core.secret import Secret
from neondba.neon.throwaway import reached
from neondba.postgres.connect import connect, trusted
from neondba.postgres.ddl.reading import schema_of
from neondba.postgres.ddl.schema import Schema

SCHEMA = """
create table plans (id int primary key, name text not null, price int);
insert into plans values (1, 'free', 0), (2, 'team', 20), (3, 'firm', 90);
create table users (id int generated always as identity primary key, email text,
                    plan_id int references plans);
insert into users (email, plan_id) select 'u' || n || '@example.com', 1 + n % 3 from generate_series(1, 50) n;
create view cheap as select id, name from plans where price < 10;
"""


@dataclass
class Pair:
    """A branch with the schema above, called `main` here, and its child `feature`."""

    world: World
    project: str
    number: int

    def begin(self) -> Pair:
        self.branch("main", "trunk")
        return self.branch("feature")

    def branch(self, name: str, parent: str | None = None, **more: Any) -> Pair:
        """Make one more; it is a child of `main` if no other is named."""
        above = parent or self.named("main")
        self.world.call(
            "branch.create", self.project, name=self.named(name), parent=above, no_checkout=True, **more
        )
        return self

    def end(self) -> None:
        """Delete what this pair has made, children first."""
        with self.world.client() as client:
            project = client.find_project(self.project).id
            while rest := [b for b in client.branches(project) if f"-{self.number}-" in b.name]:
                parents = {each.parent_id for each in rest}
                for each in [each for each in rest if each.id not in parents]:
                    client.delete_branch(project, each.id, hard=True)

    def named(self, branch: str) -> str:
        """Give the name that a branch really has: many tests share one project."""
        return f"{branch}-{self.number}-"

    def url(self, branch: str) -> Secret:
        return self.url_of(self.named(branch))

    def url_of(self, name: str) -> Secret:
        """Give the address of any branch of the project."""
        with self.world.client() as client:
            project = client.find_project(self.project)
            return reached(client, project.id, client.find_branch(project, name)).direct

    def on(self, branch: str, sql: str) -> None:
        with connect(self.url(branch)) as session:
            session.execute(trusted(sql))

    def rows(self, branch: str, query: str) -> list[Any]:
        with connect(self.url(branch)) as session:
            return [tuple(row.values()) for row in session.execute(trusted(query)).fetchall()]

    def schema(self, branch: str) -> Schema:
        with connect(self.url(branch)) as session:
            return schema_of(session)

    def merge(self, name: str = "feature", into: str = "main", **more: Any) -> Any:
        more.setdefault("migration", False)
        return self.world.call(
            "branch.merge", self.project, name=self.named(name), into=self.named(into), **more
        )

    def branches(self) -> set[str]:
        with self.world.client() as client:
            there = client.branches(client.find_project(self.project).id)
        return {
            each.name for each in there if each.name.endswith(f"-{self.number}-") or "neondba" in each.name
        }
