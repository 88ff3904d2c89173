"""What a file is for, as its path tells."""

from __future__ import annotations

import re
from typing import Final

_TEST: Final = re.compile(
    r"(?:^|/)(?:tests?|__tests__|testing|fixtures?|__mocks__|mocks|e2e|cypress|playwright)/|"
    r"(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$|\.(?:test|spec|stories|cy)\.[cm]?[jt]sx?$"
)
_SCRIPT: Final = re.compile(
    r"(?:^|/)(?:scripts?|tools?|bin|seeds?|seeders?|examples?|demos?|notebooks?|bench(?:mark)?s?|evals?|\.claude|\.specify)/|"
    r"(?:^|/)(?:seed|migrate|manage|setup)\.(?:py|[cm]?[jt]s)$"
)
_HAND_RUN: Final = re.compile(
    r"^(?:seed|setup|init|check|verify|debug|fix|create|drop|reset|migrate|add|run|test|load|import|export|populate|"
    r"backfill|diagnose|inspect|cleanup|apply|delete|update)_[^/]*\.py$"
)
_INSIDE: Final = re.compile(
    r"(?:^|/)(?:services?|routes?|routers?|api|endpoints?|core|models?|handlers?|controllers?|crud|repositor\w+|(?:\w+_)?tools|"
    r"actions|lib|jobs|workers?)/[^/]+$"
)
_MIGRATION: Final = re.compile(r"(?:^|/)(?:alembic|migrations?|versions)/|(?:^|/)env\.py$")
_DOCUMENT: Final = re.compile(r"\.(?:md|mdx|rst|adoc|txt)$|(?:^|/)docs?/", re.IGNORECASE)
_EXAMPLE: Final = re.compile(
    r"[.-](?:example|sample|template|dist|defaults?|tpl|tmpl)(?:$|\.)", re.IGNORECASE
)
_GENERATED: Final = re.compile(
    r"(?:^|/)(?:package-lock\.json|pnpm-lock\.yaml|yarn\.lock|bun\.lockb?|uv\.lock|poetry\.lock|Pipfile\.lock|Cargo\.lock|"
    r"go\.sum|composer\.lock)$|\.(?:min\.js|min\.css|map|svg|lock|snap|csv|tsv)$|(?:^|/)(?:dist|build|vendor|generated|\.yarn)/"
)


def is_test(path: str) -> bool:
    """Tell whether a file is a test or serves one."""
    return bool(_TEST.search(path))


def is_script(path: str) -> bool:
    """Tell whether a file is run by hand, once, and ends."""
    if _SCRIPT.search(path):
        return True
    return bool(_HAND_RUN.match(path.rpartition("/")[2])) and not _INSIDE.search(path)


def is_migration(path: str) -> bool:
    """Tell whether a file belongs to a migration tool."""
    return bool(_MIGRATION.search(path))


def is_document(path: str) -> bool:
    """Tell whether a file is read by people, not run."""
    return bool(_DOCUMENT.search(path))


def is_example(path: str) -> bool:
    """Tell whether a file shows what another one should look like."""
    return bool(_EXAMPLE.search(path.rpartition("/")[2]))


def is_generated(path: str) -> bool:
    """Tell whether a tool writes the file."""
    return bool(_GENERATED.search(path))
