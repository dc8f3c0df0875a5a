"""Which records are commands of this service, which are somebody else's, and which are kept as dead letters."""

import json
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from fastapi import Request
from hypothesis import example, given
from hypothesis import strategies as st

from services.routing.api.offers import COMMANDS
from shared.auth.tokens import Principal, Tokens
from shared.contracts import topics
from shared.contracts.events.replies import CommandRefused
from shared.contracts.vocabulary import Role
from shared.delivery.cloudevents import MAX_VALUE_BYTES, Raw
from shared.delivery.commands.consumer import Command, Commands, ServedSteps, _key_of
from shared.delivery.commands.records import read_command
from shared.delivery.inbox.store import Letter
from shared.http.writes.idempotency import (
    MAX_KEY_LENGTH,
    WriteResponse,
    is_key,
    use_of,
    use_of_command,
)
from shared.http.writes.steps import Perform, StepEntry, StepRequest
from shared.runtime.clock import system_clock
from shared.runtime.errors import Problem

OFFER = str(uuid4())
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def command(value: bytes | None = None, **headers: bytes | None) -> Raw:
    given = {
        "ce_type": b"liaison.offer.accept.v1",
        "ce_id": b"c-1",
        "ce_source": b"https://works.example",
    } | headers
    kept = tuple((name, content) for name, content in given.items())
    body = b'{"offer_id": "%s"}' % OFFER.encode() if value is None else value
    return Raw(topics.COMMANDS, 0, 0, None, body, kept)


def read(raw: Raw, service: str = "routing") -> Command | CommandRefused | Letter | None:
    return read_command(raw, COMMANDS if service == "routing" else {}, service)


def test_a_command_is_a_step_with_its_body():
    value = b'{"offer_id": "%s", "party": "L001", "note": "n"}' % OFFER.encode()
    found = read(command(value))
    assert isinstance(found, Command)
    assert found.ids == {"offer_id": UUID(OFFER)}
    assert found.body == {"note": "n"}
    assert found.party == "L001"
    assert (found.id, found.source) == ("c-1", "https://works.example")


NAMES = st.one_of(
    st.text("a#:/ é", min_size=1, max_size=4), st.text("ab", min_size=190, max_size=200)
)


@given(one=st.tuples(NAMES, NAMES), other=st.tuples(NAMES, NAMES))
@example(one=("urn:a#b", "c"), other=("urn:a", "b#c"))
@example(one=("x" * 200, "c" * 200), other=("y" + "x" * 199, "c" * 200))
def test_two_commands_have_two_keys(one: tuple[str, str], other: tuple[str, str]):
    keys = []
    for source, id_ in (one, other):
        keys.append(_key_of(Command(command(), id_, source, "t", None, {}, {})))
    assert (keys[0] == keys[1]) == (one == other)
    assert all(0 < len(key) <= MAX_KEY_LENGTH and is_key(key) for key in keys)


NAMELESS = (
    {"ce_id": None},
    {"ce_id": b""},
    {"ce_id": b"x" * 201},
    {"ce_id": b"\xff"},
    {"ce_source": None},
    {"ce_source": b"urn:" + b"x" * 1_500_000},
    {"ce_source": b"urn:\0"},
)
HOSTILE = {
    "empty": (b"", "unreadable_command"),
    "cut": (b"{", "unreadable_command"),
    "array": (b"[]", "unreadable_command"),
    "no UTF-8": (b"\xff", "unreadable_command"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "unreadable_command"),
    "a registry's bytes": (b"\0\0\0\0\1{}", "unreadable_command"),
    "half an emoji": (b'{"note": "\\ud83d"}', "unreadable_command"),
    "too deep": (b"[" * 100_000, "unreadable_command"),
    "no id": (b"{}", "command_without_id"),
    "a path": (b'{"offer_id": "../../matters/x"}', "command_without_id"),
    "an object for an id": (b'{"offer_id": {"a": 1}}', "command_without_id"),
    "too large": (b'{"a": "' + b"x" * MAX_VALUE_BYTES + b'"}', "too_large"),
}


@pytest.mark.parametrize("value", [None, *(value for value, _ in HOSTILE.values())])
@pytest.mark.parametrize("headers", NAMELESS)
def test_what_names_no_sender_is_kept_by_one_service(
    headers: dict[str, bytes | None], value: bytes | None
):
    found = read(command(value, **headers))
    assert isinstance(found, Letter)
    assert found.fate == "poison"
    assert len(found.reason) <= 500


@pytest.mark.parametrize("kind", HOSTILE)
def test_case_20_the_sender_of_a_command_that_cannot_be_read_is_told(kind: str):
    value, code = HOSTILE[kind]
    found = read(command(value))
    assert isinstance(found, CommandRefused)
    assert found.code == code
    assert (found.source, found.command_id) == ("https://works.example", "c-1")
    assert found.status in (400, 413, 422)
    assert found.title != code


@pytest.mark.parametrize("wire_type", [b"liaison.offer.accept.v9", b"", b"\0nobody's", b"x" * 9000])
def test_the_sender_of_an_unknown_command_is_told_by_one_service(wire_type: bytes):
    found = read(command(ce_type=wire_type))
    assert isinstance(found, CommandRefused)
    assert found.code == "unknown_command"
    assert found.command_type.isprintable()
    assert len(found.command_type) <= 200
    assert read(command(ce_type=wire_type), "followup") is None


def step(perform: Perform) -> StepEntry:
    return replace(COMMANDS["liaison.offer.decline.v1"], perform=perform)


def serving(perform: Perform) -> Commands:
    served = ServedSteps({"liaison.offer.decline.v1": step(perform)}, None, Tokens(None))
    return Commands(None, "routing", served, system_clock)  # type: ignore[arg-type]


def declined(**content: object) -> Command:
    body = {"offer_id": OFFER, "reason_code": "at_capacity"} | content
    found = read(command(json.dumps(body).encode(), ce_type=b"liaison.offer.decline.v1"))
    assert isinstance(found, Command)
    return found


async def test_an_id_may_be_in_any_script():
    wanted: list[StepRequest] = []

    async def perform(_: object, one: StepRequest) -> WriteResponse:
        wanted.append(one)
        return WriteResponse(200, {"version": 2})

    commands = serving(perform)
    for each in ("c-1", "指令" * 100, "令" + "指令" * 99 + "指", "c-1"):
        sent = replace(declined(), id=each)
        await commands._perform(sent, Principal(Role.LIAISON, "L001"), TRACE)
    keys = [each.key for each in wanted if each.key is not None]
    assert keys[0] == keys[3]
    assert keys[0].key == "https://works.example#c-1"
    assert len({each.key for each in keys}) == 3
    assert {each.traceparent for each in wanted} == {TRACE}
    assert all(len(each.key) <= MAX_KEY_LENGTH for each in keys)


async def nothing(_: object, __: StepRequest) -> WriteResponse:
    raise AssertionError("it is refused before")


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        ({"reason_code": "no reason"}, "/body/reason_code"),
        ({"note": 7}, "/body/note"),
        ({"more": 1}, "/body/more"),
    ],
)
async def test_a_body_that_does_not_fit_is_refused_as_over_http(content: dict, pointer: str):
    with pytest.raises(Problem) as refused:
        await serving(nothing)._perform(declined(**content), Principal(Role.LIAISON, "L001"), TRACE)
    assert refused.value.status == 422
    assert [each.pointer for each in refused.value.errors] == [pointer]


async def test_a_role_that_may_not_take_the_step_is_refused():
    with pytest.raises(Problem) as refused:
        await serving(nothing)._perform(declined(), Principal(Role.OPERATOR, "O001"), TRACE)
    assert (refused.value.status, refused.value.code) == (403, "not_for_this_role")


async def test_a_command_has_the_key_of_the_post_that_it_stands_for():
    """Commands of a program that made an HTTP request of each are answered as before for 7 days."""
    sent, principal = declined(), Principal(Role.LIAISON, "L001")
    body = json.dumps(dict(sent.body)).encode()
    path = f"/routing/offers/{OFFER}/decline"
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "server": ("commands", 80),
        "headers": [(b"content-type", b"application/json"), (b"idempotency-key", b"k")],
    }

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    over_http = await use_of(Request(scope, receive), principal)  # type: ignore[arg-type]
    assert over_http == use_of_command(principal, "k", path, body)


def test_another_service_s_command_is_passed_over():
    other = command(ce_type=b"liaison.matter.handle.v1")
    assert read(other) is None
    assert read(command(ce_type=b"nobody's"), "followup") is None


def test_an_unknown_command_of_a_matter_is_followups_to_answer():
    nothing = command(ce_type=b"liaison.matter.explode.v1")
    assert read(nothing) is None
    found = read(nothing, "followup")
    assert isinstance(found, CommandRefused)
    assert found.code == "unknown_command"
    assert "liaison.offer.*" in found.detail


def test_the_sender_of_a_tombstone_is_told():
    raw = command()
    found = read(Raw(raw.topic, 0, 0, None, None, raw.headers))
    assert isinstance(found, CommandRefused)
    assert isinstance(read(Raw(raw.topic, 0, 0, None, None, ())), Letter)
