"""The faults of examples/taskboard that a review must find, each located by text that stands once."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "examples" / "taskboard"
FIXED = FOLDER.with_name("taskboard-fixed")


@dataclass(frozen=True)
class Fault:
    """One fault, and where it is."""

    path: str
    marker: str
    """Stands once in the file, on the line of the fault."""
    category: str
    rule: str
    """The rule that finds it."""
    why: str
    also: tuple[str, ...] = ()
    """Categories that name it as well as the first."""
    twin_keeps_it: bool = False
    """True where the marked line is right in its new surroundings."""

    @property
    def line(self) -> int:
        """The line of the marker, from 1."""
        before, _, _ = (FOLDER / self.path).read_text().partition(self.marker)
        return before.count("\n") + 1


DATABASE = "app/database.py"
ENV = "alembic/env.py"
VERSIONS = "alembic/versions"

EXPECTED = (
    Fault(
        "docs/setup.md", "@ep-mossy-kettle", "secret", "NDB101",
        "A password stands in a tracked document.",
    ),
    Fault(
        "app/settings.py", "better_auth_secret: str =", "secret", "NDB103",
        "The key that verifies HS256 tokens has a default that everyone can read.", ("auth",),
    ),
    Fault(
        ".gitignore", ".env*", "env", "NDB112",
        ".env* also ignores .env.example, which the set-up asks for.",
    ),
    Fault(
        "app/settings.py", "database_url: str =", "env", "NDB114",
        "Without DATABASE_URL the service silently writes to a SQLite file.",
    ),
    Fault(
        DATABASE, "engine = create_engine(", "pooling", "NDB210",
        "No pre-ping and no recycling: the first queries after a suspend fail.", ("connection",),
        twin_keeps_it=True,
    ),
    Fault(
        DATABASE, "    settings.database_url,", "connection", "NDB203",
        "No connect timeout: requests hang while the compute is out of reach.",
    ),
    Fault(
        ENV, 'set_main_option("sqlalchemy.url"', "connection", "NDB207",
        "A % in the password breaks the URL in ConfigParser.",
    ),
    Fault(
        "app/main.py", '"Connecting to %s"', "connection", "NDB206",
        "The start-up log holds the URL with its password.", ("secret", "production"),
    ),
    Fault(
        DATABASE, "pool_size=20", "pooling", "NDB211",
        "Four workers (Procfile) times 50 direct connections each, more than a small compute takes.",
    ),
    Fault(
        "app/routers/tasks.py", "ILIKE '%{q}%'", "orm-bypass", "NDB301",
        "What the user types becomes SQL.",
    ),
    Fault(
        "app/routers/boards.py", 'text("SELECT status, count(*)', "orm-bypass", "NDB302",
        "Raw SQL in a route where the ORM has a query.",
    ),
    Fault(
        "app/routers/tasks.py", "def list_tasks(user_id: str", "isolation", "NDB403",
        "The owner comes from the address, so anyone lists anyone's tasks.",
    ),
    Fault(
        "app/routers/tasks.py", "task = session.get(Task, task_id)\n    if task is None:", "isolation",
        "NDB401", "get_task gives any user any task.",
    ),
    Fault(
        "app/routers/comments.py", "def list_comments(task_id: int, session", "isolation", "NDB404",
        "Comments are listed without asking who reads.", ("auth",),
    ),
    Fault(
        f"{VERSIONS}/0002_comments.py", "CREATE POLICY comment_author", "isolation", "NDB416",
        "The policy never binds: nothing gives it app.user_id, and the owner's role bypasses it.",
    ),
    Fault(
        "app/auth.py", '"verify_aud": False', "auth", "NDB502",
        "Tokens made for another audience are taken.",
    ),
    Fault("app/models.py", "cost: float", "schema", "NDB704", "Money as binary floating point."),
    Fault(
        "app/models.py", '"#888888", max_length=7)\n    created_at', "schema", "NDB703",
        "A board's creation without its zone.",
    ),
    Fault(
        "app/models.py", "due_at: datetime | None = Field(default=None, sa_type", "schema", "NDB703",
        "A task's times without their zone.",
    ),
    Fault(
        "app/models.py", "2000)\n    created_at: datetime = Field(default_factory=datetime.utcnow", "schema",
        "NDB703", "A comment's creation without its zone.",
    ),
    Fault("app/models.py", 'foreign_key="board.id")', "schema", "NDB701", "No index on task.board_id."),
    Fault("app/models.py", 'foreign_key="task.id")', "schema", "NDB701", "No index on comment.task_id."),
    Fault(
        "app/models.py", "user_id: str\n    name", "schema", "NDB725",
        "Every list of boards filters by user_id, which has no index.",
    ),
    Fault(
        "app/models.py", "user_id: str\n    body", "schema", "NDB725",
        "Comments are looked up by user_id, which has no index.",
    ),
    Fault(
        "app/routers/tasks.py", "session.delete(task)", "schema", "NDB726",
        "A task with a comment cannot be deleted: the foreign key says nothing of deletion.",
        twin_keeps_it=True,
    ),
    Fault(
        f"{VERSIONS}/0003_index_tasks.py", 'op.create_index("ix_task_user_id"', "migration", "NDB601",
        "Writes to task wait until the index is built.",
    ),
    Fault(
        f"{VERSIONS}/0004_task_status.py", 'op.drop_column("task", "done")', "migration", "NDB607",
        "The running release still reads done, and the downgrade brings it back empty.",
    ),
    Fault(
        f"{VERSIONS}/0004_task_status.py", "UPDATE task SET status", "migration", "NDB619",
        "The rows are filled while the lock of ADD COLUMN is held.",
    ),
    Fault(
        ENV, "configure(connection=connection, target_metadata", "migration", "NDB625",
        "No lock_timeout: a migration that waits makes everyone wait.",
    ),
    Fault(
        f"{VERSIONS}/0005_task_priority.py", 'op.drop_column("task", "priority")', "migration", "NDB611",
        "The type stays behind, so the second upgrade fails.",
    ),
    Fault(
        f"{VERSIONS}/0006_board_color.py", "op.add_column(", "migration", "NDB602",
        "NOT NULL without a default fails as soon as there is a board.",
    ),
    Fault(
        "app/main.py", "metadata.create_all", "migration", "NDB610",
        "Tables made at start-up are not Alembic's, and have no policies.", ("production",),
    ),
    Fault(DATABASE, "echo=True", "production", "NDB901", "Every statement and its values go to the log."),
    Fault(
        "app/main.py", "str(error)", "production", "NDB902",
        "The health route shows the driver's error to anyone.",
    ),
)  # fmt: skip
