"""`liaison erase` takes a request at its end and no other, and goes on where it was cut off between two services."""

import json
from uuid import UUID

import pytest

from deploy.common.trouble import Trouble
from deploy.jobs.migrations import SERVICES
from deploy.operations.audit import verified
from deploy.operations.erasing import erase
from services.routing.handlers import erasing as routing
from shared.audit.erasure import ERASED
from shared.runtime.ids import new_id
from tests.integration.deploy.backups import Session

RECEIPT = "000000-ABCDEF-GHJKMN-PQRSTV"
SECRET = "沈某某"

INSERT_REQUEST = """
insert into intake.request (id, source, source_ref, fingerprint, receipt, submitted_by, channel, kind, requester_kind,
                            requester_id, requester_name, contact_name, contact_phone, summary, detail, urgency,
                            received_at)
values ($1, 'urn:a', 'r-1', '', $2, 'a', 'web', 'help', 'resident', $3, $3, $3, '000-5550-0101', $3, $3, 'normal',
        now())"""
INSERT_MATTER = """
insert into followup.matter (id, version, state, round, breached, body, next_due_at)
values ($1, 1, $2, 1, false, '{"hold": null}', case $2 when 'offered' then now() end)"""
INSERT_EVENT = """
insert into {}.event (id, subject, version, type, topic, at, data) values (uuidv7(), $1, 1, $2, $3, now(), $4)"""
INSERT_SEEN = "insert into {}.seen (subject, topic, version) values ($1, $2, 1)"
SAID = {
    "intake": ("liaison.request.amended.v1", "liaison.requests", {"message": SECRET}),
    "routing": ("liaison.offer.declined.v1", "liaison.assignments", {"note": SECRET}),
    "followup": ("liaison.matter.contacted.v1", "liaison.matters", {"note": SECRET}),
}
HEARD = (
    ("routing", "liaison.requests"),
    ("followup", "liaison.requests"),
    ("followup", "liaison.assignments"),
    ("intake", "liaison.matters"),
    ("routing", "liaison.matters"),
)


async def asked_of(
    url: str, state: str = "withdrawn", heard: tuple[tuple[str, str], ...] = HEARD
) -> UUID:
    """A request of which each service has said one thing, and heard what the others said."""
    request_id = UUID(new_id())
    async with Session(url) as conn:
        await conn.execute(INSERT_REQUEST, request_id, RECEIPT, SECRET)
        await conn.execute(INSERT_MATTER, request_id, state)
        for service, (kind, topic, data) in SAID.items():
            await conn.execute(
                INSERT_EVENT.format(service), str(request_id), kind, topic, json.dumps(data)
            )
        for service, topic in heard:
            await conn.execute(INSERT_SEEN.format(service), str(request_id), topic)
    return request_id


def quiet(_: object) -> None: ...


async def erased(url: str, named: str = RECEIPT) -> dict[str, dict[str, int]]:
    _, counts = await erase(url, named, "operator", "was asked to", quiet)
    return counts


async def left(url: str) -> list[str]:
    """The services in which an event still has it."""
    async with Session(url) as conn:
        return [
            service
            for service in SERVICES
            if await conn.fetchval(
                f"select count(*) from {service}.event where strpos(data::text, $1) > 0",
                json.dumps(SECRET).strip('"'),
            )
        ]


@pytest.mark.parametrize("named", [RECEIPT, RECEIPT.lower().replace("-", " "), "id", "ID"])
async def test_by_receipt_or_id_however_it_is_typed(database_url: str, named: str):
    request_id = await asked_of(database_url)
    ids = {"id": str(request_id), "ID": str(request_id).upper()}
    counts = await erased(database_url, ids.get(named, named))
    assert counts == {
        "intake": {"request": 1, "event": 1},
        "routing": {"event": 1},
        "followup": {"event": 1},
        "desk": {},
    }
    assert await left(database_url) == []
    async with Session(database_url) as conn:
        row = await conn.fetchrow("select * from intake.request")
    assert (row["id"], row["source_ref"], row["receipt"]) == (request_id, "r-1", RECEIPT)
    for column in (
        "requester_id",
        "requester_name",
        "contact_name",
        "contact_phone",
        "summary",
        "detail",
    ):
        assert row[column] == ERASED, column


async def test_cut_off_between_two_services_it_goes_on(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    await asked_of(database_url)

    async def cut_off(*_: object) -> dict[str, int]:
        raise ConnectionResetError("the server closed the connection")

    with monkeypatch.context() as broken:
        broken.setattr(routing, "erase", cut_off)
        with pytest.raises(Trouble, match=r"database\.went"):
            await erased(database_url)
    assert await left(database_url) == ["routing", "followup"]
    assert await erased(database_url) == {
        "intake": {},
        "routing": {"event": 1},
        "followup": {"event": 1},
        "desk": {},
    }
    assert await left(database_url) == []
    verdicts = await verified(database_url, SERVICES, {}, quiet)
    # Nothing of a matter is in the desk's history.
    seals = dict.fromkeys(SAID, 1) | {"desk": 0}
    assert {name: (v.altered, v.seals) for name, v in verdicts.items()} == {
        name: (None, count) for name, count in seals.items()
    }


async def test_what_fails_in_a_service_changes_nothing_there(
    database_url: str, monkeypatch: pytest.MonkeyPatch
):
    await asked_of(database_url)
    async with Session(database_url) as conn:
        await conn.execute(
            "create function intake.fail() returns trigger language plpgsql as "
            "$$ begin raise exception 'no seal today'; end $$;"
            "create trigger fail before insert on intake.seal for each row execute function intake.fail()"
        )
    with pytest.raises(Trouble, match="no seal today"):
        await erased(database_url)
    assert await left(database_url) == list(SAID)
    async with Session(database_url) as conn:
        assert await conn.fetchval("select summary from intake.request") == SECRET
        assert await conn.fetchval("select count(*) from intake.erasure") == 0


async def test_an_open_matter_is_left_alone(database_url: str):
    await asked_of(database_url, "offered")
    with pytest.raises(Trouble, match=r"erase\.open"):
        await erased(database_url)
    assert await left(database_url) == list(SAID)


@pytest.mark.parametrize("missing", HEARD, ids=":".join)
async def test_what_is_still_on_its_way_is_waited_for(database_url: str, missing: tuple[str, str]):
    await asked_of(database_url, heard=tuple(each for each in HEARD if each != missing))
    with pytest.raises(Trouble, match=r"erase\.late") as told:
        await erased(database_url)
    assert (told.value.params["service"], told.value.params["topics"]) == missing
    assert await left(database_url) == list(SAID)


async def test_nothing_is_known_of_a_stranger(database_url: str):
    for named in ("", "nobody", new_id(), "'; drop table request"):
        with pytest.raises(Trouble, match=r"erase\.unknown"):
            await erased(database_url, named)
