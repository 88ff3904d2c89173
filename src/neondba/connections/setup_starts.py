"""Files for a folder that has none: a small program that connects, and the project's own configuration."""

from __future__ import annotations

from typing import Final

from neondba.connections import setup_texts as python
from neondba.connections import setup_texts_node as node
from neondba.connections.setup_stacks import Start
from neondba.project.stack import App


def _package(name: str, run: str, needs: dict[str, str], dev: dict[str, str]) -> str:
    def block(entries: dict[str, str]) -> str:
        return ",\n".join(f'    "{key}": "{version}"' for key, version in entries.items())

    return (
        f'{{\n  "name": "{name}",\n  "private": true,\n  "type": "module",\n  "scripts": {{ {run} }},\n'
        f'  "dependencies": {{\n{block(needs)}\n  }},\n  "devDependencies": {{\n{block(dev)}\n  }}\n}}\n'
    )


_TSX: Final = {"tsx": "^4", "typescript": "^5"}
_PG: Final = {"pg": "^8"}
_PG_TYPES: Final = {"@types/pg": "^8", "@types/node": "^22"}


_DRIVER: Final = "psycopg[binary]>=3.2\npydantic-settings>=2.6\n"
_PYTHON: Final[dict[str, dict[str, str]]] = {
    "plain": {"settings.py": python.SETTINGS, "main.py": python.PLAIN, "requirements.txt": _DRIVER},
    "sqlalchemy": {
        "settings.py": python.SETTINGS,
        "database.py": python.DATABASE.format(
            imports="from sqlalchemy import create_engine\nfrom sqlalchemy.orm import Session"
        ),
        "main.py": python.SQLALCHEMY,
        "requirements.txt": "sqlalchemy>=2\n" + _DRIVER,
    },
    "fastapi": {
        "settings.py": python.SETTINGS,
        "database.py": python.DATABASE.format(imports="from sqlmodel import Session, create_engine"),
        "main.py": python.FASTAPI,
        "requirements.txt": "fastapi[standard]>=0.115\nsqlmodel>=0.0.22\n" + _DRIVER,
    },
    "django": {
        "manage.py": python.DJANGO_MANAGE,
        "config/__init__.py": "",
        "config/settings.py": python.DJANGO_SETTINGS,
        "config/urls.py": python.DJANGO_URLS,
        "requirements.txt": "django>=5\ndjango-environ>=0.11\npsycopg[binary]>=3.2\n",
    },
    "go": {
        "go.mod": "module app\n\ngo 1.23\n\nrequire (\n\tgithub.com/jackc/pgx/v5 v5.7.2\n"
        "\tgithub.com/joho/godotenv v1.5.1\n)\n",
        "main.go": python.GO_MAIN,
    },
}
_NODE: Final[dict[str, dict[str, str]]] = {
    "prisma": {
        "package.json": _package(
            "app",
            '"start": "tsx index.ts"',
            {"@prisma/adapter-pg": "^7", "@prisma/client": "^7", "dotenv": "^17", **_PG},
            {"prisma": "^7", **_TSX, **_PG_TYPES},
        ),
        "prisma.config.ts": node.PRISMA_CONFIG,
        "prisma/schema.prisma": node.PRISMA_SCHEMA,
        "index.ts": node.PRISMA_MAIN,
    },
    "drizzle": {
        "package.json": _package(
            "app",
            '"start": "tsx src/index.ts"',
            {"drizzle-orm": "^0.44", "dotenv": "^17", **_PG},
            {"drizzle-kit": "^0.31", **_TSX, **_PG_TYPES},
        ),
        "drizzle.config.ts": node.DRIZZLE_CONFIG,
        "src/schema.ts": node.DRIZZLE_SCHEMA,
        "src/index.ts": node.DRIZZLE_MAIN,
    },
    "next": {
        "package.json": _package(
            "app",
            '"dev": "next dev", "build": "next build", "start": "next start"',
            {"next": "^15", "react": "^19", "react-dom": "^19", **_PG},
            {"typescript": "^5", "@types/react": "^19", **_PG_TYPES},
        ),
        "lib/db.ts": node.NEXT_DB,
        "app/health/route.ts": node.NEXT_ROUTE,
        "app/layout.tsx": node.NEXT_LAYOUT,
        "app/page.tsx": node.NEXT_PAGE,
    },
}


def files_of(start: Start) -> dict[str, str]:
    """Give the files of a small beginning, by path."""
    return dict((_PYTHON | _NODE)[start])


NEXT: Final[dict[Start, tuple[str, ...]]] = {
    "plain": ("pip install -r requirements.txt && python main.py",),
    "sqlalchemy": ("pip install -r requirements.txt && python main.py",),
    "fastapi": ("pip install -r requirements.txt && fastapi dev main.py",),
    "django": ("pip install -r requirements.txt && python manage.py runserver",),
    "prisma": ("npm install && npx prisma generate && npx prisma migrate dev --name first && npm start",),
    "drizzle": ("npm install && npx drizzle-kit generate && npx drizzle-kit migrate && npm start",),
    "next": ("npm install && npm run dev",),
    "go": ("go mod tidy && go run .",),
}


def ignored_by_tools(start: Start) -> tuple[str, ...]:
    """Give the folders of a beginning's tools that git should pass by."""
    if start == "go":
        return ()
    if start in ("prisma", "drizzle", "next"):
        return (
            "node_modules",
            *(("generated",) if start == "prisma" else (".next",) if start == "next" else ()),
        )
    return (".venv", "__pycache__")


def settings_place(app: App, paths: frozenset[str]) -> str | None:
    """Give the path of a settings module for Python code that has none; nothing where both are taken."""
    prefix = f"{app.folder}/" if app.folder else ""
    package = next(
        (f"{prefix}{name}/" for name in ("app", "src/app") if f"{prefix}{name}/__init__.py" in paths), prefix
    )
    return next(
        (p for p in (f"{package}settings.py", f"{package}database_settings.py") if p not in paths), None
    )
