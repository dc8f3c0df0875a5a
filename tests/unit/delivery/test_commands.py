"""Which records are commands of this service, which are somebody else's, and which are kept as dead letters."""

from uuid import uuid4

import pytest
from fastapi import FastAPI, Request
from hypothesis import example, given
from hypothesis import strategies as st

from shared.auth.tokens import Principal
from shared.contracts import topics
from shared.contracts.commands import MATTER_COMMANDS, OFFER_COMMANDS
from shared.contracts.replies import CommandRefused
from shared.contracts.vocabulary import Role
from shared.delivery.cloudevents import MAX_VALUE_BYTES, Raw
from shared.delivery.commands.consumer import Command, Commands, _key_of
from shared.delivery.inbox.store import Letter
from shared.http.idempotency import MAX_KEY_LENGTH, is_key
from shared.runtime.clock import system_clock

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


def read(raw: Raw, *, names_all: bool = True) -> Command | CommandRefused | Letter | None:
    foreign = MATTER_COMMANDS if names_all else None
    made = Commands(None, "routing", FastAPI(), system_clock, OFFER_COMMANDS, foreign)  # type: ignore[arg-type]
    return made._read(raw)


def test_a_command_is_a_step_with_its_body():
    value = b'{"offer_id": "%s", "party": "L001", "note": "n"}' % OFFER.encode()
    found = read(command(value))
    assert isinstance(found, Command)
    assert found.path == f"/routing/offers/{OFFER}/accept"
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
        keys.append(_key_of(Command(command(), id_, source, "t", None, "/", {})))
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
    assert read(command(ce_type=wire_type), names_all=False) is None


async def test_an_id_may_be_in_any_script():
    app, keys, traces = FastAPI(), [], set()

    @app.post("/routing/offers/{offer_id}/accept")
    async def accept(request: Request) -> dict[str, int]:
        keys.append(request.headers["idempotency-key"])
        traces.add(request.headers["traceparent"])
        return {"version": 2}

    commands = Commands(None, "routing", app, system_clock, OFFER_COMMANDS, MATTER_COMMANDS)  # type: ignore[arg-type]
    ids = ("c-1", "指令" * 100, "令" + "指令" * 99 + "指", "c-1")
    for each in ids:
        found = read(command(ce_id=each.encode()))
        assert isinstance(found, Command)
        status, _ = await commands._call(found, Principal(Role.LIAISON, "L001"), TRACE)
        assert status == 200
    assert keys[0] == keys[3] == "https://works.example#c-1"
    assert len(set(keys)) == 3
    assert traces == {TRACE}
    assert all(len(key) <= MAX_KEY_LENGTH for key in keys)


def test_another_service_s_command_is_passed_over():
    other = command(ce_type=b"liaison.matter.handle.v1")
    assert read(other) is None
    assert read(command(ce_type=b"nobody's"), names_all=False) is None


def test_the_sender_of_a_tombstone_is_told():
    raw = command()
    found = read(Raw(raw.topic, 0, 0, None, None, raw.headers))
    assert isinstance(found, CommandRefused)
    assert isinstance(read(Raw(raw.topic, 0, 0, None, None, ())), Letter)
