"""Tables are found in models, SQL, Prisma schemas and Alembic revisions alike."""

from __future__ import annotations

from neondba.project.facts import Facts
from neondba.project.schema import Schema, Table
from neondba.project.tree import MemoryTree

BASE = """
from datetime import datetime
from sqlalchemy import DateTime, ForeignKey, Index, String, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
"""


def tables(**files: str) -> dict[str, Table]:
    named = {name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()}
    return {t.name.key: t for t in schema_of(named).tables}


def schema_of(files: dict[str, str]) -> Schema:
    return Facts(MemoryTree(files)).get(Schema)


def columns(table: Table) -> dict[str, tuple[str | None, bool]]:
    return {c.name: (c.type, c.nullable) for c in table.columns.values()}


def test_a_sqlmodel_table_inherits_fields_across_files() -> None:
    found = schema_of(
        {
            "app/base.py": "from sqlmodel import Field, SQLModel\n\n\nclass TaskBase(SQLModel):\n"
            "    title: str = Field(max_length=200)\n    note: str | None = None\n",
            "app/models.py": "import uuid\nfrom sqlmodel import Field, SQLModel\n"
            "from app.base import TaskBase\n\n\n"
            "class Task(TaskBase, table=True):\n    id: uuid.UUID = Field(primary_key=True)\n"
            "    owner_id: uuid.UUID = Field(foreign_key='user.id', index=True, ondelete='CASCADE')\n\n\n"
            "class TaskRead(TaskBase):\n    id: uuid.UUID\n",
        }
    )
    (task,) = found.tables
    assert columns(task) == {
        "title": ("character varying(200)", False),
        "note": ("character varying", True),
        "id": ("uuid", False),
        "owner_id": ("uuid", False),
    }
    assert (task.columns["title"].path, task.columns["title"].line) == ("app/base.py", 5)
    (key,) = task.references
    assert (key.table.name, key.on_delete) == ("user", "cascade")
    assert found.covered(task, ("owner_id",))


def test_a_declarative_base_may_map_types_itself() -> None:
    found = tables(
        models_dot_py=BASE
        + "class Base(DeclarativeBase):\n    type_annotation_map = {datetime: DateTime(timezone=True)}\n\n\n"
        "class Stamped:\n    made: Mapped[datetime] = mapped_column(server_default=func.now())\n\n\n"
        "class User(Stamped, Base):\n    __tablename__ = 'users'\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
        "    seen: Mapped[datetime | None]\n"
        "    name = mapped_column('full_name', String(80), nullable=False)\n"
    )
    assert columns(found["users"]) == {
        "made": ("timestamp with time zone", False),
        "id": ("integer", False),
        "seen": ("timestamp with time zone", True),
        "full_name": ("character varying(80)", False),
    }


def test_a_foreign_key_may_name_the_class() -> None:
    found = tables(
        models_dot_py=BASE
        + "class Base(DeclarativeBase):\n    pass\n\n\nclass User(Base):\n    __tablename__ = 'people'\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
        "\n\nclass Post(Base):\n    __tablename__ = 'posts'\n"
        "    __table_args__ = (Index('i', 'user_id', 'id'), {'schema': 'blog'})\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n"
        "    user_id: Mapped[int] = mapped_column(ForeignKey(User.id))\n"
    )
    post = found["blog.posts"]
    assert post.references[0].table.name == "people"
    assert [i.columns for i in post.indexes] == [("user_id", "id")]


def test_sql_files_are_run_in_order() -> None:
    found = tables(
        migrations__10_drop_dot_sql="alter table a drop column b;\nalter table a rename column c to d;",
        migrations__9_more_dot_sql="alter table a add column c timestamptz;\ncreate table gone (id int);",
        migrations__1_first_dot_sql="create table a (id int primary key, b text);",
        migrations__11_last_dot_sql="drop table gone;\n-- migrate:down\ndrop table a;",
    )
    assert list(found) == ["a"]
    assert columns(found["a"]) == {"id": ("integer", False), "d": ("timestamp with time zone", True)}


def test_a_prisma_schema_gives_tables_under_their_mapped_names() -> None:
    found = tables(
        prisma__schema_dot_prisma='datasource db {\n  provider = "postgresql"\n}\nenum Kind {\n  A\n}\n'
        "model User {\n  id String @id @default(cuid())\n  posts Post[]\n}\n"
        'model Post {\n  id String @id\n  kind Kind\n  userId String @map("user_id") @db.VarChar(36)\n'
        "  user User @relation(fields: [userId], references: [id], onDelete: Cascade)\n"
        '\n  @@index(userId)\n  @@map("posts")\n}\n'
    )
    post = found["posts"]
    assert columns(post) == {
        "id": ("text", False), "kind": ("enum", False), "user_id": ("character varying(36)", False)
    }  # fmt: skip
    assert [(f.columns, f.table.name, f.on_delete) for f in post.references] == [
        (("user_id",), "User", "cascade")
    ]
    assert [i.columns for i in post.indexes] == [("user_id",)]


def test_prisma_for_another_database_is_left_alone() -> None:
    files = {
        "prisma/schema.prisma": 'datasource db {\n  provider = "mysql"\n}\n',
        "prisma/user.prisma": "model User {\n  id String @id\n}\n",
        "prisma/migrations/migration_lock.toml": 'provider = "mysql"\n',
        "prisma/migrations/1_init/migration.sql": "create table a (id int);",
    }
    assert schema_of(files).definitions == []


def test_tables_of_better_auth_are_known_by_their_columns() -> None:
    sql = (
        'create table "session" (id text, token text, "expiresAt" timestamp, "userId" text);\n'
        'create table "user" (id text, email text, "emailVerified" boolean);\n'
        "create table account (id bigint, balance numeric);\n"
    )
    owners = {t.name.name: t.provider for t in schema_of({"schema.sql": sql}).tables}
    assert owners == {"session": "Better Auth", "user": "Better Auth", "account": None}


def test_alembic_revisions_count_when_no_model_defines_the_tables() -> None:
    revision = (
        "import sqlalchemy as sa\nfrom alembic import op\n\nrevision = 'a1'\ndown_revision = None\n\n\n"
        "def upgrade():\n    op.create_table('a', sa.Column('id', sa.Integer(), primary_key=True),\n"
        "        sa.Column('at', sa.DateTime(timezone=True)))\n"
        "    op.add_column('a', sa.Column('b', sa.Text()))\n"
    )
    (table,) = schema_of({"alembic/versions/a1.py": revision}).tables
    assert (table.source, list(table.columns)) == ("alembic", ["id", "at", "b"])


def test_drizzle_tables_are_read_with_their_indexes_and_keys() -> None:
    found = tables(
        db__schema_dot_ts='import { pgTable } from "drizzle-orm/pg-core";\n'
        'export const kind = pgEnum("kind", ["a", "b"]);\n'
        'export const users = pgTable("users", { id: uuid("id").defaultRandom().primaryKey() });\n'
        'export const posts = pgTable(\n  "posts",\n  {\n    id: serial("id").primaryKey(),\n'
        '    kind: kind("kind").notNull(), // a comment, with a comma\n'
        '    authorId: uuid("author_id").notNull().references(() => users.id, { onDelete: "cascade" }),\n'
        '    at: timestamp("at", { withTimezone: true }).defaultNow(),\n  },\n'
        '  (table) => [index("posts_author").on(table.authorId, table.at.desc())],\n);\n'
    )
    posts = found["posts"]
    assert columns(posts) == {
        "id": ("serial", False),
        "kind": ("enum", False),
        "author_id": ("uuid", False),
        "at": ("timestamp with time zone", True),
    }
    assert posts.columns["author_id"].line == 9
    assert [(k.table.name, k.on_delete) for k in posts.references] == [("users", "cascade")]
    assert [i.columns for i in posts.indexes] == [("author_id", "at")]
