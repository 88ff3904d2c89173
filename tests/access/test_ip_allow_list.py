"""A list of allowed addresses: who is let in, shown by connections that are refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reached import Reached

from neondba import capabilities
from neondba.core.problem import ArgumentProblem, ConfirmationNeeded, ConflictProblem
from neondba.local.control import ip_allow as enforced
from neondba.neon.allow_list import address_of, entry_of

HERE, ELSEWHERE = "127.0.0.0/8", "198.51.100.0/24"


@pytest.fixture
def door(desk: Reached) -> Iterator[Reached]:
    """The project with no list; afterwards too."""
    yield desk
    desk.call("ip_allow.set", entries=[HERE], branches="all", lock_out=True)
    desk.call("ip_allow.remove", entries=[HERE], open_to_all=True)


def refusal(desk: Reached, branch: str = "main") -> str:
    """Say how a new connection is refused; nothing where it is let in."""
    url = desk.url(branch)
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError as error:
        return str(error)
    return ""


def listed(desk: Reached) -> list[str]:
    return [each.entry for each in desk.call("ip_allow.show").entries]


def verdicts(desk: Reached, folder: Path | None = None, **asked: Any) -> dict[str, str]:
    check = desk.call("ip_allow.check", folder=folder, **asked)
    return {line.place: line.verdict for line in check.lines}


def test_without_a_list_everybody_is_let_in_and_that_is_said(door: Reached) -> None:
    assert "every address in the world may connect" in door.call("ip_allow.show").as_text(200)
    assert verdicts(door, origin=["203.0.113.7"]) == {"here": "ok", "203.0.113.7": "ok"}


def test_a_list_that_holds_this_machine_lets_it_in(door: Reached) -> None:
    done = door.call("ip_allow.set", entries=[HERE, ELSEWHERE])
    assert "was let in" in done.shown
    assert listed(door) == [HERE, ELSEWHERE]
    assert refusal(door) == ""


def test_a_list_that_would_shut_out_the_caller_is_refused(door: Reached) -> None:
    with pytest.raises(ConflictProblem, match=r"No entry of this list holds 127\.0\.0\.1"):
        door.call("ip_allow.set", entries=[ELSEWHERE])
    assert listed(door) == []
    assert refusal(door) == ""


def test_a_list_that_would_shut_out_the_application_is_refused(door: Reached) -> None:
    with pytest.raises(ConflictProblem, match=r"holds 203\.0\.113\.7, from where"):
        door.call("ip_allow.set", entries=[HERE], origin=["203.0.113.7"])
    assert listed(door) == []


def test_who_says_so_may_shut_everybody_out_and_come_back(door: Reached) -> None:
    done = door.call("ip_allow.set", entries=[ELSEWHERE], lock_out=True)
    assert "Not checked" in done.shown
    assert "127.0.0.1 is not allowed to connect" in refusal(door)
    check = door.call("ip_allow.check")
    [here] = [line for line in check.lines if line.place == "here"]
    assert (here.verdict, here.evidence, here.do) == ("fault", "shown", "neondba ip-allow add 127.0.0.1")
    assert capabilities.load()["ip_allow.check"].findings(check) == 1
    assert "was let in" in door.call("ip_allow.add", entries=["127.0.0.1"]).shown
    assert refusal(door) == ""


def test_consent_is_to_the_very_list(door: Reached) -> None:
    with pytest.raises(ConfirmationNeeded) as needed:
        capabilities.load()["ip_allow.set"].call(door.context(), {"entries": [HERE, "203.0.113.9/24"]})
    steps = " ".join(needed.value.facts["plan"]["steps"])
    assert "Let 203.0.113.0/24 in (256 addresses)." in steps
    assert "only what 2 entries hold may connect, to any branch" in steps
    assert listed(door) == []


def test_a_list_that_is_so_already_is_no_change(door: Reached) -> None:
    door.call("ip_allow.set", entries=[HERE])
    written = len(list(door.context().journal.entries()))
    assert "Nothing is to be changed" in door.call("ip_allow.add", entries=["127.0.0.1/8"]).changed[0]
    assert len(list(door.context().journal.entries())) == written


def test_the_last_entry_stays_unless_everybody_may_come_in(door: Reached) -> None:
    door.call("ip_allow.set", entries=[HERE])
    with pytest.raises(ConflictProblem, match="an empty list lets every address in the world in"):
        door.call("ip_allow.remove", entries=[HERE])
    assert listed(door) == [HERE]


def test_taking_this_machine_off_is_refused(door: Reached) -> None:
    door.call("ip_allow.set", entries=[HERE, ELSEWHERE])
    with pytest.raises(ConflictProblem, match="you would be shut out of every branch"):
        door.call("ip_allow.remove", entries=[HERE])
    assert refusal(door) == ""


def test_an_address_inside_a_network_cannot_be_taken_off_alone(door: Reached) -> None:
    door.call("ip_allow.set", entries=[HERE, ELSEWHERE])
    with pytest.raises(ArgumentProblem) as missing:
        door.call("ip_allow.remove", entries=["198.51.100.7"])
    assert missing.value.code == "entry-not-listed"
    assert "198.51.100.0/24 holds it" in str(missing.value.hint)


def test_a_list_for_protected_branches_keeps_nobody_out_of_others(door: Reached) -> None:
    done = door.call("ip_allow.set", entries=[ELSEWHERE], branches="protected")
    assert "none is protected: everybody may connect" in done.means
    assert verdicts(door)["list"] == "fault"
    door.call("branch.protect", name="main")
    try:
        assert "is not allowed to connect" in refusal(door)
        with pytest.raises(ConflictProblem, match="you would be shut out"):
            door.call("ip_allow.add", entries=["203.0.113.7"])
    finally:
        door.call("branch.protect", name="main", off=True)


def test_runners_whose_addresses_change_cannot_be_listed(door: Reached, tmp_path: Path) -> None:
    workflows = tmp_path / ".github" / "workflows"
    workflows.mkdir(parents=True)
    url = "    env: {DATABASE_URL: '${{ secrets.DATABASE_URL }}'}\n"
    (workflows / "deploy.yml").write_text(f"jobs:\n  go:\n    runs-on: ubuntu-latest\n{url}")
    (workflows / "own.yml").write_text(f"jobs:\n  go:\n    runs-on: [self-hosted, linux]\n{url}")
    (workflows / "lint.yml").write_text("jobs:\n  go:\n    runs-on: ubuntu-latest\n")
    (tmp_path / "vercel.json").write_text("{}")
    before = door.call("ip_allow.check", folder=tmp_path)
    assert [(line.verdict, line.evidence) for line in before.lines if "Actions" in line.place] == [
        ("note", "read: .github/workflows/deploy.yml:3"),
        ("not checked", "read: .github/workflows/own.yml:3"),
    ]
    door.call("ip_allow.set", entries=[HERE])
    assert verdicts(door, tmp_path)["Vercel"] == "fault"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("host.example", "does not appear to be an IPv4 or IPv6 address"),
        ("203.0.113.20-203.0.113.10", "its first address is above its last"),
        ("203.0.113.1-2001:db8::1", "one end is IPv4 and the other IPv6"),
        ("203.0.113.0/255.255.255.0", "write the length of the prefix"),
        ("203.0.113.0/33", "does not appear"),
        ("fe80::1%eth0", "a zone"),
        ("::ffff:192.0.2.7", "write the IPv4 address itself"),
    ],
)
def test_what_neon_does_not_take_is_refused_with_the_reason(entry: str, said: str) -> None:
    with pytest.raises(ArgumentProblem, match=said):
        entry_of(entry)


@pytest.mark.parametrize(
    ("entry", "note"),
    [
        ("0.0.0.0/0", "half of all IPv4"),
        ("10.1.2.3", "Private"),
        ("203.0.113.7", ""),
        ("::1", "Loopback"),
        ("224.0.0.1", "Nobody"),
    ],
)
def test_what_is_odd_about_an_entry_is_said(entry: str, note: str) -> None:
    assert note in entry_of(entry).note
    assert bool(note) == bool(entry_of(entry).note)


ADDRESSES = st.ip_addresses()


@settings(max_examples=60, deadline=None)
@given(ADDRESSES, ADDRESSES, st.integers(0, 32), ADDRESSES, st.sampled_from(["address", "range", "network"]))
def test_an_entry_holds_what_the_local_neon_lets_in(low, high, length, asked, kind) -> None:
    if "::ffff:" in f"{low} {high}" or (kind == "range" and (low.version != high.version or low > high)):
        return
    text = {"address": str(low), "range": f"{low}-{high}", "network": f"{low}/{length}"}[kind]
    refused = enforced.refusal({"allowed_ips": {"ips": [text]}}, str(asked), protected=False)
    assert entry_of(text).holds(address_of(str(asked))) == (refused is None)
