"""Walk an Alembic history one revision at a time: a line on standard input for each step.

Run by the Python that has the project's packages: alembic_steps.py VERSIONS_FOLDER [FOLDER …] URL.
Further folders are put on the import path. What cannot be imported is stood in for.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.machinery
import logging
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool

INSTALLED = ("sqlalchemy", "sqlalchemy_utils", "sqlmodel", "alembic_postgresql_enum", "psycopg2", "pydantic")


class StandIn(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Stand in for modules that are not installed."""

    def find_spec(self, name: str, _path: Any = None, _target: Any = None) -> Any:
        if name.partition(".")[0] in INSTALLED:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        module = MagicMock(name=spec.name)
        module.__path__ = []
        module.__spec__ = spec
        return module

    def exec_module(self, module: Any) -> None:
        pass


def main() -> None:
    """Upgrade to each revision in turn, after each line that is read."""
    versions, *folders, url = sys.argv[1:]
    answers, sys.stdout = sys.stdout, sys.stderr  # Revisions may print.
    for installed in INSTALLED:
        with contextlib.suppress(ImportError):
            importlib.import_module(installed)
    sys.path[:0] = folders
    sys.meta_path.append(StandIn())
    logging.disable(logging.CRITICAL)
    home = Path(tempfile.mkdtemp())
    config = Config()
    config.set_main_option("script_location", str(home))
    config.set_main_option("version_locations", versions)
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)
    order = [revision.revision for revision in script.walk_revisions("base", "heads")][::-1]
    engine = create_engine(url, poolclass=pool.NullPool)
    print(len(order), file=answers, flush=True)
    for revision, _line in zip(order, sys.stdin, strict=False):
        try:
            _upgrade(config, script, engine, revision)
        except Exception as error:  # noqa: BLE001
            _upgrade(config, script, engine, revision, stamp=True)
            print(
                f"{revision} failed {type(error).__name__}: {str(error).splitlines()[0][:200]}",
                file=answers,
                flush=True,
            )
        else:
            print(f"{revision} done", file=answers, flush=True)


def _upgrade(config: Any, script: Any, engine: Any, revision: str, *, stamp: bool = False) -> None:
    steps = script._stamp_revs if stamp else script._upgrade_revs
    with (
        EnvironmentContext(
            config, script, fn=lambda at, _context: steps(revision, at), as_sql=False
        ) as environment,
        engine.connect() as connection,
    ):
        environment.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
        with environment.begin_transaction():
            environment.run_migrations()
        connection.commit()


if __name__ == "__main__":
    main()
