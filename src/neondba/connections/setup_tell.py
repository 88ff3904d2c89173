"""Tell what was set up, and what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote
from typing import TYPE_CHECKING

from neondba.connections.setup_files import shown
from neondba.connections.setup_results import AppLine, Environment, FileLine, SetUp, Verified
from neondba.connections.setup_starts import NEXT
from neondba.project.places import is_script
from neondba.project.stack import App
from neondba.project.stack_variables import Use

if TYPE_CHECKING:
    from neondba.connections.setup import Work
    from neondba.connections.setup_places import Place


def result(work: Work, written: list[FileLine], own: list[Verified]) -> SetUp:
    """Put together what is shown."""
    project = work.platform.project
    assert project is not None
    done = {line.path for line in written}
    kept = [shown(work.root, plan.path) for plan in work.plans]
    files = [*written, *(FileLine(path=path, action="as it was") for path in kept if path not in done)]
    return SetUp(
        project=project.name,
        project_id=project.id,
        platform="local Neon" if work.platform.client.is_local else "Neon",
        created=tuple(work.created),
        apps=tuple(_app(app) for app in work.looked.apps),
        environments=tuple(_environments(work)),
        files=tuple(files),
        verified=(*(each for place in work.places for each in place.seen), *own),
        notes=(*work.looked.notes, *_notes(work)),
        next=tuple(_next(work)),
    )


def _app(app: App) -> AppLine:
    return AppLine(
        folder=app.folder,
        built_with=app.built_with,
        evidence=tuple(f"{e.path}:{e.line} {e.name} {e.version}".rstrip() for e in app.evidence),
        reads=tuple(f"{v.name} ({v.path}:{v.line})" for v in app.variables),
    )


def _environments(work: Work) -> Iterator[Environment]:
    named = {place.environment for place in work.places}
    for place in work.places:
        yield Environment(
            name=place.environment,
            branch=place.branch_name,
            role=place.role_name,
            direct_role=place.direct_role,
            file=", ".join(shown(work.root, plan.path) for plan in place.plans) or None,
        )
    default = work.platform.default
    if "production" not in named and default is not None and default.name != work.places[0].branch_name:
        yield Environment(name="production", branch=default.name)


def _notes(work: Work) -> Iterator[str]:
    local = work.platform.client.is_local
    if local:
        yield "The local Neon stops by itself after 15 quiet minutes; neondba local start starts it again."
    for app in work.looked.apps:
        if local and app.serverless is not None:
            yield _of_serverless(work, *app.serverless)
        if local and app.handling.no_percent and app.using(Use.HOST):
            yield (
                "The password names the endpoint, since names under .localhost are not known on this "
                "machine; as part of an address it holds a %. Where Alembic's env.py sets it, write "
                'config.set_main_option("sqlalchemy.url", url.replace("%", "%%")).'
            )
        if app.makes_tables and not is_script(app.makes_tables[0]):
            path, line = app.makes_tables
            yield (
                f"{path}:{line} makes tables when the program runs, so {work.places[0].role_name} may do "
                "that. With migrations as another role it would need less."
            )


def _of_serverless(work: Work, path: str, line: int) -> str:
    from neondba.local import launch

    running = launch.status(work.ctx.settings.state_dir)
    port = running.api_port if running else "PORT"
    return (
        f"{path}:{line} uses Neon's serverless driver, which finds the local Neon only where the program "
        "tells it. For development, before the first query: "
        f'neonConfig.fetchEndpoint = "http://127.0.0.1:{port}/sql"; '
        f'neonConfig.wsProxy = () => "127.0.0.1:{port}/v2"; neonConfig.useSecureWebSocket = false;'
    )


def _next(work: Work) -> Iterator[str]:
    place: Place = work.places[0]
    if work.looked.start is not None:
        yield from NEXT[work.looked.start]
    first = next((v.name for p in place.plans for _, v in p.variables if v.use.is_url), None)
    if first is not None:
        folder = shown(work.root, place.plans[0].path.parent)
        where = "" if folder == "." else f"cd {quote(folder)} && "
        yield f"{where}neondba connection check {first}"
    yield "neondba review ."
    yield "neondba branch create NAME    # .env leads to it, with the same roles"
    if not work.asked.production:
        yield f"neondba setup --production{_flags(work)}    # its own role, in .env.production"


def _flags(work: Work) -> str:
    return f" --app {quote(work.asked.app)}" if work.asked.app else ""
