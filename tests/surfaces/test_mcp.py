"""Agents' tools: lists that are small, replies that are short, consent, progress, cancelling."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.to_thread
import mcp_types as types
import pytest
import toys as toybox
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters

from neondba import capabilities
from neondba.core.context import Context
from neondba.core.operation import Operation
from neondba.surfaces import mcp, reply, search, tools

Toys = dict[str, Operation]
Steps = Callable[[Client], Awaitable[Any]]
MODES = ["auto", "legacy"]


def session(ctx: Context, steps: Steps, mode: str = "auto", **client: Any) -> Any:
    """Run the steps in a client's session with the server in memory."""

    async def run() -> Any:
        async with Client(mcp.server(ctx), mode=mode, **client) as made:
            with anyio.fail_after(60):
                return await steps(made)

    return anyio.run(run)


def called(ctx: Context, name: str, arguments: dict[str, Any], mode: str = "auto", **client: Any) -> Any:
    return session(ctx, lambda made: made.call_tool(name, arguments), mode, **client)


def listed(ctx: Context) -> list[types.Tool]:
    tools_of: list[types.Tool] = session(ctx, lambda made: made.list_tools()).tools
    return tools_of


def wire(result: Any) -> Any:
    """Give what goes over the wire."""
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


def test_the_tool_list_is_short(ctx: Context, record_property: Callable[[str, object], None]) -> None:
    shown = [wire(tool) for tool in listed(ctx)]
    # Four bytes of compact JSON a token is the usual estimate; three is more than any tokeniser we know.
    strict, usual = reply.tokens(shown), reply.size(shown) / 4
    record_property("tool list tokens", f"{usual:.0f} (bytes / 4), {strict} (bytes / 3)")
    assert len(shown) <= 20
    assert strict < 3000


def test_even_twenty_of_the_largest_tools_are_listed_at_most(ctx: Context, toys: Toys) -> None:
    everything = {name: one.__class__(**{**vars(one), "featured": True}) for name, one in toys.items()}
    many = {f"{name}{n}": one for n in range(4) for name, one in everything.items()}
    assert len(tools.listed(many)) == 20


def test_schemas_hold_no_noise(ctx: Context, toys: Toys) -> None:
    text = json.dumps([tools.schema(one) for one in capabilities.load().values()])
    assert '"title": "' not in text
    assert '"type": "null"' not in text
    assert "$ref" not in text


def test_a_definition_that_contains_itself_ends(toys: Toys) -> None:
    node = {"type": "object", "properties": {"below": {"$ref": "#/$defs/Node"}}}
    assert tools._slim({"$ref": "#/$defs/Node"}, {"Node": node}) == {
        "type": "object",
        "properties": {"below": {"type": "object"}},
    }


def test_hints_follow_from_the_effect(ctx: Context, toys: Toys) -> None:
    by_name = {tool.name: tool for tool in listed(ctx)}
    assert by_name["toy_show"].annotations == types.ToolAnnotations(read_only_hint=True)
    assert by_name["toy_make"].annotations == types.ToolAnnotations(
        read_only_hint=False, destructive_hint=False
    )
    assert tools.described(toys["toy.break"])["annotations"] == {
        "readOnlyHint": False,
        "destructiveHint": True,
    }
    assert {"dry_run", "confirm"} <= set(by_name["toy_make"].input_schema["properties"])
    assert "confirm" not in by_name["toy_show"].input_schema["properties"]


@pytest.mark.parametrize("mode", MODES)
def test_a_result_is_data_and_a_short_text(ctx: Context, toys: Toys, mode: str) -> None:
    result = called(ctx, "toy_show", {"name": "ball"}, mode)
    assert result.structured_content["result"]["name"] == "ball"
    assert "name     ball" in result.content[0].text
    assert not result.is_error


def test_findings_are_counted(ctx: Context, toys: Toys) -> None:
    given = {"name": "toy.inspect", "arguments": {"faults": 2}}
    assert called(ctx, "run_operation", given).structured_content["findings"] == 2


@pytest.mark.parametrize("mode", MODES)
def test_a_problem_is_an_answer(ctx: Context, toys: Toys, mode: str) -> None:
    result = called(ctx, "toy_show", {"name": "lost"}, mode)
    assert result.is_error
    assert result.structured_content["code"] == "toy-not-found"
    assert result.content[0].text == "No toy is called lost.\nneondba toy list"


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("no_such_tool", {}, "operation-not-found"),
        ("run_operation", {}, "argument-invalid"),
        ("run_operation", {"name": "toy.show", "arguments": [1]}, "argument-invalid"),
        ("run_operation", {"name": "toy.make", "dry_run": "yes"}, "argument-invalid"),
        ("run_operation", {"name": "toy.make", "confirm": 7}, "argument-invalid"),
        ("find_operation", {}, "argument-invalid"),
        ("read_result", {"id": "0"}, "result-not-found"),
        ("read_result", {"id": "0", "start": -1}, "argument-invalid"),
        ("toy_show", {"name": "ball", "confirm": "x"}, "argument-invalid"),
    ],
)
def test_a_wrong_call_is_a_problem_too(
    ctx: Context, toys: Toys, name: str, arguments: dict[str, Any], code: str
) -> None:
    result = called(ctx, name, arguments)
    assert (result.is_error, result.structured_content["code"]) == (True, code)


def test_an_unlisted_operation_is_found_by_words_and_run(ctx: Context, toys: Toys) -> None:
    reply = called(ctx, "find_operation", {"words": "break a toy"})
    assert '"name": "toy.break"' in reply.content[0].text
    found = reply.structured_content["operations"]
    assert found[0]["name"] == "toy.break"
    assert found[0]["effect"] == "destroy"
    assert found[0]["arguments"]["required"] == ["name"]
    assert called(ctx, "find_operation", {"words": "zzzz"}).structured_content["operations"] == []


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("backup of production", "snapshot."),
        ("go back to how the data was yesterday", "branch.restore"),
        ("change the password of a role", "role.rotate"),
        ("deleting a branch", "branch.delete"),
        ("rls policies", "isolation."),
        ("clone production for a test", "branch.create"),
        ("a slow sql statement", "query.run"),
        ("pending migrations", "migration."),
    ],
)
def test_what_people_call_it_finds_the_operation(words: str, first: str) -> None:
    found = [each["name"] for each in search.find_operations(words, capabilities.load())]
    assert found[0].startswith(first), found


def test_words_that_fit_nothing_are_answered_with_the_groups(ctx: Context) -> None:
    found = called(ctx, "find_operation", {"words": "wiederherstellen"}).structured_content
    assert found["operations"] == []
    assert {"branch", "migration", "role"} <= set(found["groups"])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", [1, 40, 2000])
def test_a_reply_stays_under_four_thousand_tokens(ctx: Context, toys: Toys, mode: str, count: int) -> None:
    result = called(ctx, "toy_heap", {"count": count}, mode)
    assert reply.tokens(wire(result)) < 4000
    assert len(result.structured_content["result"]["toys"]) > 0


def test_a_large_plan_or_problem_is_shortened_too(ctx: Context, toys: Toys) -> None:
    for running in ({"dry_run": True}, {}):
        given = {"name": "toy.break", "arguments": {"name": "long " * 9000}, **running}
        result = called(ctx, "run_operation", given)
        assert reply.tokens(wire(result)) < 4000
        assert json.dumps(result.structured_content).count("hash") >= 1


def test_what_was_left_out_can_be_read(ctx: Context, toys: Toys) -> None:
    async def steps(client: Client) -> list[Any]:
        first = (await client.call_tool("toy_heap", {"count": 300})).structured_content
        paths = [("/toys", 250), ("/toys/299/name", 0), ("", 0), ("/toys/300", 0), ("/note/x", 0)]
        given = [{"id": first["id"], "path": path, "start": start} for path, start in paths]
        return [first, *[await client.call_tool("read_result", one) for one in given]]

    first, rest, name, whole, missing, wrong = session(ctx, steps)
    assert {"path": "/toys", "shown": len(first["result"]["toys"]), "of": 300} in first["left_out"]
    assert first["more"].endswith("neondba toy heap 300 --format json")
    assert rest.structured_content["result"][0]["name"] == "toy 250"
    assert name.structured_content["result"] == "toy 299"
    assert whole.structured_content["result"]["title"].startswith("é")
    assert missing.structured_content["code"] == wrong.structured_content["code"] == "part-not-found"
    assert all(reply.tokens(wire(one)) < 4000 for one in (rest, name, whole))


def test_old_results_are_forgotten() -> None:
    results = reply.Results(most=2)
    for name in "abc":
        results.keep(name, [name])
    assert list(results.kept) == ["b", "c"]


def test_what_cannot_be_cut_is_left_out() -> None:
    cut = reply.shorten({f"{n:0>500}": n for n in range(40)})
    assert (cut.data, cut.left_out) == (None, [{"path": "/", "shown": 0}])


def test_a_dry_run_gives_the_plan_and_its_hash(ctx: Context, toys: Toys) -> None:
    body = called(ctx, "toy_make", {"name": "top", "dry_run": True}).structured_content
    assert body["plan"]["steps"] == ["Make top."]
    assert body["hash"]
    assert list(ctx.journal.entries()) == []


def test_a_listed_tool_may_change_what_is_not_protected(ctx: Context, toys: Toys) -> None:
    assert called(ctx, "toy_make", {"name": "top"}).structured_content["result"]["name"] == "top"


def test_run_operation_changes_nothing_without_consent(ctx: Context, toys: Toys) -> None:
    given = {"name": "toy.make", "arguments": {"name": "top"}}
    body = called(ctx, "run_operation", given).structured_content
    assert body["code"] == "confirmation-needed"
    stale = called(ctx, "run_operation", {**given, "confirm": "0" * 12}).structured_content
    assert stale["code"] == "plan-changed"
    assert list(ctx.journal.entries()) == []
    done = called(ctx, "run_operation", {**given, "confirm": body["facts"]["hash"]})
    assert done.structured_content["result"]["name"] == "top"


def test_run_operation_gives_what_goes_wrong_before_a_plan(ctx: Context, toys: Toys) -> None:
    given = {"name": "toy.make", "arguments": {"nick": "top"}}
    assert called(ctx, "run_operation", given).structured_content["code"] == "argument-invalid"


ANSWERS = {
    "agrees": types.ElicitResult(action="accept", content={"agree": True}),
    "unticked": types.ElicitResult(action="accept", content={"agree": False}),
    "declines": types.ElicitResult(action="decline"),
}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", ["toy.break", "toy.make"])
def test_a_client_that_can_ask_asks_the_user(
    ctx: Context, toys: Toys, mode: str, answer: str, name: str
) -> None:
    asked: list[str] = []

    async def ask(_context: Any, params: Any) -> types.ElicitResult:
        asked.append(params.message)
        return ANSWERS[answer]

    given = {"name": name, "arguments": {"name": "top"}}
    result = called(ctx, "run_operation", given, mode, elicitation_callback=ask)
    assert len(asked) == 1
    assert "\n1. " in asked[0]
    assert result.is_error == (answer != "agrees")
    assert len(list(ctx.journal.entries())) == (1 if answer == "agrees" else 0)


def test_progress_is_told(ctx: Context, toys: Toys) -> None:
    told: list[tuple[float, float | None, str | None]] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    session(ctx, lambda c: c.call_tool("toy_make", {"name": "top"}, progress_callback=listen), "legacy")
    assert [message for _, _, message in told] == ["Carving", "Painting"]
    assert told[0][:2] == (0.5, 1.0)
    assert told[1][0] > told[0][0]


@pytest.mark.parametrize("mode", MODES)
def test_an_operation_may_tell_its_progress_from_a_thread_of_its_own(
    ctx: Context, toys: Toys, mode: str
) -> None:
    told: list[str | None] = []

    async def listen(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    given = {"name": "toy.wind"}
    result = session(
        ctx, lambda c: c.call_tool("run_operation", given, progress_callback=listen), mode
    ).structured_content
    assert result["result"]["name"] == "clockwork"
    # It goes on by a hundredth each time; only what is notable is told.
    assert told[0] == "Winding 0"
    assert len(told) <= 40, told


@pytest.mark.parametrize("mode", MODES)
def test_cancelling_stops_the_operation(ctx: Context, toys: Toys, mode: str) -> None:
    toybox.STARTED.clear()
    toybox.STOPPED.clear()

    async def steps(client: Client) -> bool:
        async with anyio.create_task_group() as group:
            group.start_soon(client.call_tool, "run_operation", {"name": "toy.endless"})
            await anyio.to_thread.run_sync(toybox.STARTED.wait, 10)
            group.cancel_scope.cancel()
        stopped: bool = await anyio.to_thread.run_sync(toybox.STOPPED.wait, 10)
        return stopped

    assert session(ctx, steps, mode) is True


@pytest.mark.parametrize("mode", MODES)
def test_the_command_serves_over_stdin_and_stdout(mode: str, tmp_path: Any) -> None:
    program = StdioServerParameters(
        command=sys.executable, args=["-m", "neondba", "mcp", "--state-dir", str(tmp_path)]
    )

    async def run() -> Any:
        async with Client(program, mode=mode) as client:
            with anyio.fail_after(30):
                return (await client.list_tools()).tools, client.instructions

    tools_of, instructions = anyio.run(run)
    assert "run_operation" in {tool.name for tool in tools_of}
    assert "show it to the user" in instructions
