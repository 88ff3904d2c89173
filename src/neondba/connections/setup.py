"""From nothing to a verified connection: look, plan, make, write, connect; or take everything back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from neondba.connections import setup_verify
from neondba.connections.setup_env import EXAMPLES, EnvPlan, is_read, without_values
from neondba.connections.setup_files import (
    Written,
    context_bytes,
    refuse_tracked,
    shown,
    to_ignore,
    to_show,
    with_names,
)
from neondba.connections.setup_look import Looked, look
from neondba.connections.setup_places import Place, as_problem, place_of
from neondba.connections.setup_platform import (
    DATABASE,
    DEFAULT_BRANCH,
    DEVELOPMENT,
    Platform,
    Undo,
    platform_for,
)
from neondba.connections.setup_results import FileLine, SetUp, Verified
from neondba.connections.setup_stacks import Start
from neondba.connections.setup_tell import result
from neondba.core.context import Context
from neondba.core.context_file import NAME, ContextFile, nearest
from neondba.core.context_file import read as read_context
from neondba.core.plan import Effect, Plan, Target
from neondba.core.problem import Problem
from neondba.neon.throwaway import unwound_by_signals
from neondba.project import env_file
from neondba.project.env_file import MODE

if TYPE_CHECKING:
    from neondba.neon.client import NeonClient


@dataclass(frozen=True)
class Asked:
    """What the user wants."""

    name: str | None = None
    stack: Start | None = None
    branch: str | None = None
    staging: bool = False
    production: bool = False
    app: str | None = None
    file: Path | None = None


@dataclass
class Work:
    """One set-up: what was found, and what is to be done."""

    ctx: Context
    asked: Asked
    looked: Looked
    platform: Platform
    places: list[Place]
    context: ContextFile
    ignored: tuple[str, ...] = ()
    created: list[str] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """The folder."""
        return self.looked.root

    @property
    def plans(self) -> list[EnvPlan]:
        """All files of variables."""
        return [plan for place in self.places for plan in place.plans]

    @property
    def new_examples(self) -> dict[Path, tuple[str, ...]]:
        """Give the example files that lack names, and the names."""
        found: dict[Path, tuple[str, ...]] = {}
        for plan in self.places[0].plans:
            folder = plan.path.parent
            path = plan.example or next(
                (folder / n for n in EXAMPLES if (folder / n).is_file()), folder / EXAMPLES[0]
            )
            there = env_file.read(path).names
            names = tuple(v.name for app, v in plan.variables if is_read(app, v) and v.name not in there)
            if names:
                found[path] = names
        return found

    @property
    def notes_branch(self) -> bool:
        """True where `.neon` does not name the project yet."""
        project = self.platform.project
        return project is None or self.context.project != project.id or self.context.branch is None

    def steps(self) -> Iterator[str]:
        """Say in order what will be done; nothing where all is as it should be."""
        if self.platform.project is None:
            yield (
                f"Create project {self.platform.name} with default branch {DEFAULT_BRANCH}, database "
                f"{DATABASE} and its owner {DATABASE}_owner."
            )
        elif self.notes_branch and self.platform.why:
            yield f"Use project {self.platform.name} ({self.platform.project.id}): {self.platform.why}."
        for place in self.places:
            yield from place.steps(self.platform)
        if self.ignored:
            yield f"Add {' and '.join(self.ignored)} to .gitignore."
        for place in self.places:
            for plan in place.plans:
                yield from self._env_steps(place, plan)
        for path, names in self.new_examples.items():
            verb = "In" if path.exists() else "Make"
            yield f"{verb} {shown(self.root, path)} name {', '.join(names)}, without values."
        for made in self.looked.files:
            yield f"Make {made}."
        if self.notes_branch:
            noted = shown(self.root, self.context.path)
            yield f"Note the project and its branch {self.places[0].branch_name} in {noted}."

    def _env_steps(self, place: Place, plan: EnvPlan) -> Iterator[str]:
        if not plan.missing:
            return
        names = ", ".join(f"{v.name} ({v.use})" for _, v in plan.missing)
        path = shown(self.root, plan.path)
        start = f" from {shown(self.root, plan.example)}" if plan.example else ""
        verb = f"In {path}, set" if plan.there else f"Make {path}{start}, for you alone (0600), with"
        who = place.role_name
        who += f", direct as {place.direct_role}" if place.direct_role != who else ""
        yield f"{verb} {names}: branch {place.branch_name}, role {who}."
        if plan.kept:
            form = "a comment" if len(plan.kept) == 1 else "comments"
            yield f"Keep the old {', '.join(sorted(plan.kept))} in {path} as {form}."


def set_up(client: NeonClient, ctx: Context, asked: Asked) -> SetUp:
    """Plan a set-up and carry it out; a second one finds nothing to do.

    Raises:
        Problem: something stands in the way. What was made is taken back, or named.
    """
    looked = look(ctx.folder, asked.stack, asked.app)
    looked.local = client.is_local
    led_to = looked.known_endpoints(asked.file)
    platform = platform_for(client, ctx, asked.name, led_to)
    context = nearest(ctx.folder) or read_context(ctx.folder / NAME)
    linked = platform.project is not None and context.project == platform.project.id
    looked.ours = partial(platform.owns, linked=linked)
    branch = asked.branch or platform.branch_led_to(led_to) or DEVELOPMENT
    names = [DEVELOPMENT, *["staging"] * asked.staging, *["production"] * asked.production]
    places = [
        place_of(ctx, looked, platform, each, branch if each == DEVELOPMENT else each, asked.file)
        for each in names
    ]
    work = Work(ctx, asked, looked, platform, places, context)
    refuse_tracked(looked.root, [plan.path for plan in work.plans])
    secret = [plan.path for plan in work.plans]
    noted = [context.path] if not context.path.exists() else []
    work.ignored = (
        *looked.ignores,
        *to_ignore(looked.root, [*secret, *noted]),
        *to_show(looked.root, (path for path in work.new_examples if not path.exists())),
    )
    steps = tuple(work.steps())
    if not steps and not ctx.dry_run:
        return result(work, [], _own_driver(work))
    with ctx.carry_out(_plan(work, steps)):
        written = _carried_out(work)
    return result(work, written, _own_driver(work))


def _plan(work: Work, steps: tuple[str, ...]) -> Plan:
    first, platform = work.places[0], work.platform
    there = platform.project is not None
    touches = [p for p in work.places if there and (p.makes_role or p.renews) and p.branch is not None]
    protected = any(p.is_production or p.renews or (p.branch and p.branch.protected) for p in touches)
    # Whoever uses that branch already would lose their password.
    protected = protected or (work.notes_branch and any(p.parts_owner for p in touches))
    last = "Connect to each environment, pooled and direct." if steps else "Nothing is to be done."
    return Plan(
        operation="setup",
        effect=Effect.WRITE,
        target=Target(
            project=platform.name, branch=first.branch_name, role=first.role_name, protected=protected
        ),
        steps=(*steps, last),
    )


def _carried_out(work: Work) -> list[FileLine]:
    undo, written = Undo(), Written(work.root)
    renewed: list[str] = []
    try:
        return _made(work, undo, written, renewed)
    except BaseException as error:
        stands = [*written.undo(), *undo.carry_out()]
        if isinstance(error, Problem):
            raise as_problem(error, stands, renewed) from None
        if stands:
            work.ctx.listener(f"Still there: {'; '.join(stands)}", None)
        raise


def _made(work: Work, undo: Undo, written: Written, renewed: list[str]) -> list[FileLine]:
    with unwound_by_signals():
        if work.platform.project is None:
            work.ctx.progress(f"Creating project {work.platform.name}")
            work.platform.make_project(undo)
            work.created.append(f"project {work.platform.name}")
        for place in work.places:
            fresh = place.branch is None and not place.is_production
            if place.missing or place.makes_role or place.renews or fresh:
                place.carry_out(work.ctx, work.platform, undo)
                renewed += [f"role {place.role_name}"] if place.renews else []
                work.created += [f"password of {place.role_name}"] if place.renews else []
                work.created += [f"branch {place.branch_name}"] if fresh else []
                work.created += [f"role {place.role_name}"] if place.makes_role else []
        _write(work, written)
    return written.lines


def _write(work: Work, written: Written) -> None:
    """Write everything: first what keeps git from taking the passwords along."""
    if work.ignored:
        ignore = work.root / ".gitignore"
        old = ignore.read_bytes() if ignore.exists() else b""
        written.put(ignore, with_names(old, work.ignored))
    for place in work.places:
        for plan in place.plans:
            if plan.missing and place.reach is not None:
                text = plan.written(place.reach)
                written.put(plan.path, text.render(), mode=MODE, open_names=plan.open_names)
    for path, names in work.new_examples.items():
        text = env_file.read(path).with_values(without_values(names))
        written.put(path, text.render(), open_names=())
    for name, content in work.looked.files.items():
        written.put(work.root / name, content.encode())
    project = work.platform.project
    if work.notes_branch and project is not None:
        noted = work.context.at(project.id, project.org_id, work.places[0].branch_name)
        written.put(noted.path, context_bytes(noted))


def _own_driver(work: Work) -> list[Verified]:
    """Open the connections of the programs with their own drivers, where these are installed."""
    found: list[Verified] = []
    for place in work.places:
        for app in work.looked.apps if place.reach else ():
            assert place.reach is not None
            found += setup_verify.with_own_driver(work.ctx, work.root, place.environment, app, place.reach)
    return found
