"""Which records are commands of this service, which are somebody else's, and which are kept as dead letters."""

from uuid import uuid4

import pytest
from fastapi import FastAPI, Request

from shared.contracts import topics
from shared.contracts.commands import MATTER_COMMANDS, OFFER_COMMANDS
from shared.contracts.vocabulary import Role
from shared.kit.auth import Principal
from shared.kit.clock import system_clock
from shared.kit.cloudevents import MAX_VALUE_BYTES, Raw
from shared.kit.commanding import Command, Commands
from shared.kit.commands import MAX_KEY_LENGTH
from shared.kit.inbox import Letter

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


def read(raw: Raw, *, names_all: bool = True) -> Command | Letter | None:
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


@pytest.mark.parametrize(
    "raw",
    [
        command(ce_id=None),
        command(ce_id=b""),
        command(ce_id=b"x" * 201),
        command(ce_source=None),
        command(ce_source=b"urn:" + b"x" * 1_500_000),
        command(ce_source=b"urn:\0"),
        command(ce_type=b"liaison.offer.accept.v9"),
        command(ce_type=None),
        command(b""),
        command(b"{"),
        command(b"[]"),
        command(b"\xff"),
        command(b"[" * 100_000),
        command(b"{}"),
        command(b'{"offer_id": "../../matters/x"}'),
        command(b'{"offer_id": {"a": 1}}'),
        command(b'{"a": "' + b"x" * MAX_VALUE_BYTES + b'"}'),
    ],
)
def test_what_is_no_command_is_kept_by_one_service(raw: Raw):
    found = read(raw)
    assert isinstance(found, Letter)
    assert found.fate == "poison"
    assert len(found.reason) <= 500


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
    assert isinstance(read(command(ce_type=b"nobody's")), Letter)


def test_a_tombstone_is_kept():
    raw = command()
    assert isinstance(read(Raw(raw.topic, 0, 0, None, None, raw.headers)), Letter)
