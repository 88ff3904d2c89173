"""A review that remembers says exactly what a fresh one says, whatever was edited in between."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from neondba.core import own_cache
from neondba.core.context import Context
from neondba.project.facts import Facts, Unavailable
from neondba.project.fingerprint import fingerprint
from neondba.project.tree import FolderTree, MemoryTree
from neondba.review import store as stores
from neondba.review.assemble import Request, reviewed
from neondba.review.engine import run
from neondba.review.memory import Memory
from neondba.review.page import cases
from neondba.review.rule import Rule, rules
from neondba.review.store import Store

TASKBOARD = Path(__file__).parents[2] / "examples" / "taskboard"
TEXTS = sorted(
    {text for rule in rules().values() for case in cases(rule.page) for text in case.files.values()}
)
NAMES = sorted({path for rule in rules().values() for case in cases(rule.page) for path in case.files})


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(own_cache, "folder", lambda _name: tmp_path / "kept")
    return tmp_path / "kept"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    shutil.copytree(TASKBOARD, place, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def said(project: Path, *, cache: bool) -> dict[str, object]:
    review = reviewed(Context(folder=project), Request(cache=cache))
    return review.model_dump(mode="json", exclude={"seconds"})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Give the rules that really ran."""
    from neondba.review import engine

    ran: list[str] = []
    ask = engine._asked

    def noting(facts: Facts, rule: Rule) -> object:
        ran.append(rule.code)
        return ask(facts, rule)

    monkeypatch.setattr(engine, "_asked", noting)
    return ran


def test_a_second_review_asks_no_rule_and_says_the_same(project: Path, kept: Path, asked: list[str]) -> None:
    first = said(project, cache=True)
    assert asked
    asked.clear()
    assert said(project, cache=True) == first == said(project, cache=False) | {}
    assert len(asked) == len(rules())


def test_an_edit_asks_again_only_the_rules_that_read_the_file(
    project: Path, kept: Path, asked: list[str]
) -> None:
    notes = project / "docs" / "notes.md"
    notes.parent.mkdir(exist_ok=True)
    notes.write_text("# Notes\n")
    said(project, cache=True)
    asked.clear()
    notes.write_text("# Notes\n\nAnother text.\n")
    warm = said(project, cache=True)
    assert 0 < len(asked) < len(rules()) / 3
    assert warm == said(project, cache=False)


def test_an_edit_that_leaves_the_tables_as_they_were_asks_no_rule_about_tables(
    kept: Path, asked: list[str], tmp_path: Path
) -> None:
    files = {
        "app/models.py": "from sqlmodel import Field, SQLModel\n\n\nclass Card(SQLModel, table=True):\n"
        "    id: int = Field(primary_key=True)\n    owner_id: int\n\n\ndef shown():\n    return 1\n"
    }
    store = Store(tmp_path / "kept", tmp_path)
    outcome_of(files, store)
    about_tables = {"NDB707", "NDB715", "NDB720"} & set(asked)
    asked.clear()
    files["app/models.py"] = files["app/models.py"].replace("return 1", "return 2")
    assert outcome_of(files, store) == outcome_of(files, None)
    first_asked = asked[: len(asked) - len(rules())]
    assert about_tables
    assert about_tables.isdisjoint(first_asked)
    asked.clear()
    files["app/models.py"] = files["app/models.py"].replace("owner_id", "holder_id")
    outcome_of(files, store)
    assert about_tables <= set(asked)


def test_a_plain_fact_says_the_same_after_all_rules_have_asked_it(project: Path) -> None:
    tree = FolderTree(project)
    facts = Facts(tree)
    facts.summing = True
    for rule in rules().values():
        with suppress(Unavailable):
            list(facts.call(rule.check))
    assert len(facts.said) > 8
    assert all(facts.said.values())
    assert {kind: fingerprint(tree, facts.get(kind)) for kind in facts.said} == facts.said


edits = st.lists(
    st.tuples(
        st.sampled_from(["write", "append", "remove", "blank"]),
        st.sampled_from(NAMES),
        st.sampled_from(TEXTS),
    ),
    min_size=1,
    max_size=4,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate),
)
@given(start=st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(TEXTS)), max_size=12), steps=edits)
def test_after_any_edit_the_remembered_review_is_the_fresh_one(
    start: list[tuple[str, str]], steps: list[tuple[str, str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    place = tmp_path_factory.mktemp("place")
    store = Store(place / "kept", place)
    files = dict(start)
    outcome_of(files, store)
    for step in steps:
        edit(files, *step)
        assert outcome_of(files, store) == outcome_of(files, None), step


def outcome_of(files: dict[str, str], store: Store | None) -> object:
    tree = MemoryTree(files)
    facts, memory = Facts(tree), Memory(tree, store)
    chosen = memory.rules()
    outcome = run(tree, chosen, facts, memory=memory)
    unparsed = memory.unparsed(facts)
    memory.keep(facts, chosen)
    return outcome, unparsed


def edit(files: dict[str, str], what: str, path: str, text: str) -> None:
    """Change one file; an edit that must find one takes the next by name."""
    there = next((p for p in sorted(files) if p >= path), path)
    match what:
        case "write":
            files[path] = text
        case "append":
            files[there] = files.get(there, "") + "\n" + text
        case "remove":
            files.pop(there, None)
        case "blank":
            files[there] = "\n\n" + files.get(there, "")


@pytest.mark.parametrize("damage", [b"", b"{", b"x y\n{}", "cut", "stamp", "shape"])
def test_what_was_damaged_is_made_anew(project: Path, kept: Path, damage: bytes | str) -> None:
    first = said(project, cache=True)
    (file,) = kept.glob("*.json")
    data = file.read_bytes()
    head, _, body = data.partition(b"\n")
    if damage == "cut":
        damage = data[: len(data) // 2]
    elif damage == "stamp":
        damage = b"0" * 128 + head[128:] + b"\n" + body
    elif damage == "shape":
        body = json.dumps(json.loads(body) | {"sets": []}).encode()
        damage = f"{stores.stamp()} {stores._sum(body)}\n".encode() + body
    assert isinstance(damage, bytes)
    file.write_bytes(damage)
    assert said(project, cache=True) == first
    assert len(file.read_bytes()) > len(data) / 2


def test_what_others_could_have_written_is_not_read(project: Path, kept: Path, asked: list[str]) -> None:
    said(project, cache=True)
    asked.clear()
    kept.chmod(0o777)
    said(project, cache=True)
    assert len(asked) == len(rules())


def test_a_link_in_place_of_what_was_kept_is_not_followed(project: Path, kept: Path, tmp_path: Path) -> None:
    said(project, cache=True)
    (file,) = kept.glob("*.json")
    elsewhere = tmp_path / "elsewhere.json"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert Store(kept, project).load() is None
    said(project, cache=True)
    assert not file.is_symlink()


def test_only_this_user_can_read_what_is_kept(project: Path, kept: Path) -> None:
    said(project, cache=True)
    assert kept.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in kept.iterdir()} == {0o600}


def test_no_cache_keeps_nothing(project: Path, kept: Path) -> None:
    said(project, cache=False)
    assert not kept.exists()


def test_no_secret_of_the_project_is_kept(project: Path, kept: Path) -> None:
    secret = "Tr0ub4dor" + "And3Horses"
    address = f"postgresql://app:{secret}@ep-cool-sun-123456.eu-central-1.aws.neon.tech/shop"
    (project / "app" / "extra.py").write_text(f'URL = "{address}"\nAPI_KEY = "sk_live_{secret}{secret}"\n')
    (project / ".env").write_text(f"DATABASE_URL={address}\nJWT_SECRET={secret}\n")
    said(project, cache=True)
    (file,) = kept.glob("*.json")
    assert secret not in file.read_text()


def test_only_so_many_places_are_kept(kept: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(stores, "KEPT_PLACES", 3)
    for number in range(5):
        store = Store(kept, tmp_path / str(number))
        store.save({"number": number})
        os.utime(store._file, (number, number))
    assert len(list(kept.iterdir())) == 3
    assert Store(kept, tmp_path / "4").load() == {"number": 4}


def test_a_folder_that_cannot_be_written_costs_nothing_but_time(project: Path, kept: Path) -> None:
    kept.write_text("a file stands where the folder should be")
    assert said(project, cache=True) == said(project, cache=False)


def test_what_git_comes_to_track_is_seen(project: Path, kept: Path) -> None:
    from neondba.project.git import run as git

    (project / ".env").write_text("DATABASE_URL=postgresql://localhost/x\nSECRET=one\n")
    git(project, "init", "-q")
    said(project, cache=True)
    git(project, "add", "-f", ".")
    assert FolderTree(project).is_tracked(".env")
    assert said(project, cache=True) == said(project, cache=False)
