"""The part that runs in the project's own Python, on nothing but its Alembic.

Started by path, so that neondba need not be installed there. Reads one JSON command a line from one
pipe, writes one JSON event a line to another; both come as file descriptors, so whatever the project
prints does no harm. The database's address comes through the environment, never as an argument.
"""

from __future__ import annotations

import ast
import importlib
import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

URL = "NEONDBA_BRANCH_URL"
PROBE = (
    "select (pg_catalog.pg_current_wal_insert_lsn() - '0/0')::bigint, "
    "extract(epoch from pg_catalog.now())::float8, pg_catalog.current_setting('lock_timeout'), l.* "
    "from (select) one left join (select c.oid::bigint, "
    "pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), l.mode, "
    "coalesce(pg_catalog.pg_relation_filenode(c.oid), 0)::bigint, "
    "coalesce(pg_catalog.pg_stat_get_xact_tuples_returned(c.oid), 0), "
    "coalesce(pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid), 0), "
    "coalesce(pg_catalog.pg_stat_get_xact_tuples_updated(c.oid), 0), "
    "coalesce(pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid), 0) "
    "from pg_catalog.pg_locks l "
    "join pg_catalog.pg_class c on c.oid = l.relation "
    "join pg_catalog.pg_namespace n on n.oid = c.relnamespace "
    "where l.locktype = 'relation' and l.granted and l.pid = pg_catalog.pg_backend_pid() "
    "and c.relkind in ('r', 'p', 'm') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema') l "
    "on true"
)
"""What a session has done so far in its transaction: WAL, locks, files, rows read and changed."""
FLUSH = "select pg_catalog.pg_stat_force_next_flush()"
"""Without it, what one transaction has read is still counted in the next ones for up to a second."""
FLUSH_SINCE = 150000
MARK = (
    "select pg_catalog.pg_backend_pid(), exists (select from pg_catalog.pg_locks where locktype = 'advisory' "
    "and classid::bigint = {high} and objid::bigint = {low} and granted and database = "
    "(select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()))"
)


class ElsewhereError(Exception):
    """Stop: the project's Alembic is connected to some other database."""


class Child:
    """One project's Alembic, loaded once."""

    def __init__(self, config_path: str, events: Any) -> None:
        self._events = events
        self._config_path = config_path
        self._load = importlib.import_module

    def tell(self, event: str, **values: Any) -> None:
        """Send one event to the parent."""
        self._events.write(json.dumps({"event": event, **values}, default=str) + "\n")
        self._events.flush()

    def open(self) -> None:
        """Load Alembic and the project's history."""
        config_class = self._load("alembic.config").Config
        if self._config_path.endswith(".toml"):
            self._config = config_class(toml_file=self._config_path)
        else:
            self._config = config_class(self._config_path)
        self._config.set_main_option("sqlalchemy.url", os.environ.get(URL, "").replace("%", "%%"))
        script_directory = self._load("alembic.script").ScriptDirectory
        self._script = script_directory.from_config(self._config)

    def history(self) -> None:
        """Send the revisions as their files state them, without running the files."""
        places = getattr(self._script, "_version_locations", None) or [self._script.versions]
        revisions, broken = [], []
        for place in places:
            for path in sorted(Path(str(place)).glob("*.py")):
                try:
                    revision = read_revision(path)
                except (SyntaxError, ValueError, OSError) as error:
                    broken.append({"file": str(path), "said": f"{type(error).__name__}: {error}"})
                    continue
                if revision:
                    revisions.append(revision)
        self.tell("history", revisions=revisions, broken=broken)

    def load(self) -> None:
        """Import every revision's file."""
        self.tell("loaded", count=len(list(self._script.walk_revisions())))

    def verify(self, high: int, low: int) -> None:
        """Connect as the project does, change nothing, and see whether the mark is there."""
        seen: dict[str, Any] = {}

        def look(heads: Any, context: Any) -> list[Any]:
            if context.dialect.name != "postgresql":
                raise ElsewhereError
            pid, marked = context.connection.exec_driver_sql(MARK.format(high=high, low=low)).one()
            seen.update(
                pid=pid,
                marked=bool(marked),
                heads=[heads] if isinstance(heads, str) else list(heads or ()),
                version_table=context.version_table,
                version_schema=context.version_table_schema,
            )
            return []

        self._environment(look, dont_mutate=True)
        self._mark = MARK.format(high=high, low=low)
        self.tell("verified", **seen)

    def step(self, direction: str, revision: str, lock_timeout: int = 0) -> None:
        """Run exactly one revision, telling each statement and what it left held and done."""
        step_class = self._load("alembic.runtime.migration").MigrationStep
        make = step_class.upgrade_from_script if direction == "up" else step_class.downgrade_from_script
        watch = Watch(self)

        def one(_heads: Any, context: Any) -> list[Any]:
            pid, marked = context.connection.exec_driver_sql(self._mark).one()
            if not marked:
                raise ElsewhereError
            # SET ends with a transaction that is rolled back; the connection is ours for this step alone.
            if lock_timeout:
                context.connection.exec_driver_sql(f"set lock_timeout = {int(lock_timeout)}")
            version = context.connection.exec_driver_sql("show server_version_num").scalar()
            watch.flushes = int(version) >= FLUSH_SINCE
            wal = context.connection.exec_driver_sql(PROBE).fetchone()[0]
            self.tell("session", pid=pid, wal=wal)
            watch.follow(context.connection, self._load("sqlalchemy").event)
            return [make(self._script.revision_map, self._script.get_revision(revision))]

        began = time.monotonic()
        try:
            self._environment(one)
        finally:
            watch.stop()
        self.tell("done", seconds=time.monotonic() - began)

    def stamp(self, revision: str) -> None:
        """Record a revision as current without running anything."""
        self._load("alembic.command").stamp(self._config, revision)
        self.tell("done", seconds=0)

    def _environment(self, function: Any, **options: Any) -> None:
        environment = self._load("alembic.runtime.environment").EnvironmentContext
        with environment(self._config, self._script, fn=function, **options):
            self._script.run_env()


class Watch:
    """Tell the parent about each statement of one connection."""

    def __init__(self, child: Child) -> None:
        self._child = child
        self._number = 0
        self._event: Any = None
        self._connection: Any = None
        self.flushes = False

    def follow(self, connection: Any, event: Any) -> None:
        """Listen to a connection's statements."""
        self._connection, self._event = connection, event
        event.listen(connection, "before_cursor_execute", self._before)
        event.listen(connection, "after_cursor_execute", self._after)

    def stop(self) -> None:
        """Listen no longer."""
        if self._event is not None:
            self._event.remove(self._connection, "before_cursor_execute", self._before)
            self._event.remove(self._connection, "after_cursor_execute", self._after)

    def _before(self, _c: Any, _cursor: Any, statement: str, _p: Any, _context: Any, _many: bool) -> None:
        self._number += 1
        self._began = time.monotonic()
        self._child.tell("statement", number=self._number, text=statement[:4000])

    def _after(self, connection: Any, _cursor: Any, _s: str, _p: Any, _context: Any, _many: bool) -> None:
        seconds = time.monotonic() - self._began
        cursor = connection.connection.cursor()
        try:
            cursor.execute(PROBE)
            seen = [list(row) for row in cursor.fetchall()]
            if self.flushes:
                cursor.execute(FLUSH)
        finally:
            cursor.close()
        self._child.tell("executed", number=self._number, seconds=seconds, seen=seen)


def read_revision(path: Path) -> dict[str, Any] | None:
    """Read a revision from a file's text; nothing for a file that holds none."""
    tree = ast.parse(path.read_bytes(), str(path))
    names: dict[str, Any] = {}
    empty: dict[str, bool] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            empty[node.name] = all(_does_nothing(part) for part in node.body)
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            value = getattr(node, "value", None)
            if isinstance(target, ast.Name) and isinstance(value, ast.expr):
                try:
                    names[target.id] = ast.literal_eval(value)
                except ValueError:
                    continue
    if not isinstance(names.get("revision"), str):
        return None
    text = ast.get_docstring(tree) or ""
    return {
        "id": names["revision"],
        "parents": _several(names.get("down_revision")),
        "needs": _several(names.get("depends_on")),
        "labels": _several(names.get("branch_labels")),
        "file": str(path),
        "title": text.split("\n", 1)[0].strip(),
        "downgrade": "missing" if "downgrade" not in empty else "empty" if empty["downgrade"] else "written",
    }


def _several(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(v) for v in value or ()]


def _does_nothing(part: ast.stmt) -> bool:
    constant = isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant)
    return constant or isinstance(part, ast.Pass)


def failure(error: BaseException, folder: str) -> dict[str, Any]:
    """Describe an error: what was said, and where in the project's own code."""
    own = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if f.filename.startswith(folder + os.sep) and "site-packages" not in f.filename
    ]
    origin = getattr(error, "orig", None) or error
    said = f"the code calls sys.exit({error.code!r})" if isinstance(error, SystemExit) else str(origin)
    code = getattr(origin, "sqlstate", None) or getattr(origin, "pgcode", None)
    return {
        "kind": type(error).__name__,
        "said": said.strip() or type(origin).__name__,
        "sqlstate": code,
        "module": getattr(error, "name", None) if isinstance(error, ImportError) else None,
        "file": getattr(error, "filename", None) if isinstance(error, SyntaxError) else None,
        "at": f"{own[-1].filename}:{own[-1].lineno}" if own else None,
    }


def _end_with_parent(lines: Any, waiting: list[str], ready: threading.Semaphore) -> None:
    """Hand over commands; when the parent is gone, end at once, whatever runs."""
    for line in lines:
        waiting.append(line)
        ready.release()
    os._exit(3)


def main(config_path: str, commands: int, events: int) -> None:
    """Serve the parent until it closes the pipe."""
    here = str(Path(config_path).parent)
    # Our own folder must not be importable; the project's comes last: it may hold a folder "alembic".
    sys.path[:] = [*sys.path[1:], here]
    folder = os.environ.get("NEONDBA_PROJECT_FOLDER", here)
    child = Child(config_path, os.fdopen(events, "w", encoding="utf-8"))
    waiting: list[str] = []
    ready = threading.Semaphore(0)
    lines = os.fdopen(commands, encoding="utf-8")
    threading.Thread(target=_end_with_parent, args=(lines, waiting, ready), daemon=True).start()
    try:
        version = importlib.import_module("alembic").__version__
    except ImportError as error:
        child.tell("no-alembic", **failure(error, folder))
        return
    child.tell("hello", alembic=version, python=sys.version.split()[0])
    while True:
        ready.acquire()
        command = json.loads(waiting.pop(0))
        try:
            getattr(child, command.pop("do"))(**command)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever the project raises is an answer
            kind = "elsewhere" if isinstance(error, ElsewhereError) else "failed"
            child.tell(kind, **failure(error, folder))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
