"""To whom a receipt was given: staff get no receipt of others, and an answer by theirs says so."""

import asyncio
from typing import Any

import asyncpg
import httpx
import orjson

from services.intake.handlers.progress import follow_matters
from tests.integration.intake.samples import ENTERPRISE, code, submission
from tests.integration.intake.test_projection import handled
from tests.integration.intake.test_receipts import Taken, conn

__all__ = ["conn"]


def as_(who: str) -> dict[str, str]:
    return {"authorization": f"Bearer {who}"}


async def sent_by(intake: httpx.AsyncClient, who: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await intake.post("/intake/requests", json=body, headers=as_(who))
    assert answer.status_code in (200, 202), answer.text
    found: dict[str, Any] = answer.json()
    return found


async def issued_to(conn: asyncpg.Connection, taken: Taken, receipt: str) -> list[str]:
    """What the event of an answer says of whom the receipt was given to."""
    await follow_matters(conn, [handled(taken, "已通")])
    answer = await taken.client.post(
        f"/intake/receipts/{receipt}/answer",
        json={"solved": True, "satisfaction": 5},
        headers={"authorization": ""},
    )
    assert answer.status_code == 202, answer.text
    data = await conn.fetchval(
        "select data from event where subject = $1 and type = 'liaison.return_visit.answered.v1'"
        " order by version desc limit 1",
        taken.id,
    )
    found: list[str] = orjson.loads(data)["issued_to"]
    return found


async def test_case_84_an_answer_says_to_whom_its_receipt_was_given(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    for who, expected in (
        ("L001", ["L001"]),
        ("system", ["https://one-stop.example"]),
        ("speaker", ["https://roads.example", "D-ROAD"]),
    ):
        sent = await sent_by(intake, who, submission())
        taken = Taken(intake, conn, sent)
        assert await issued_to(conn, taken, sent["receipt"]) == expected, who


async def test_case_84_a_requesters_own_receipt_is_its_own(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    of_firm = submission(requester={"kind": "enterprise", "id": ENTERPRISE, "name": "云杉精密"})
    sent = await sent_by(intake, "enterprise", of_firm)
    assert await issued_to(conn, Taken(intake, conn, sent), sent["receipt"]) == []


async def test_case_84_staff_who_send_again_what_others_sent_get_a_receipt_of_their_own(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    body = submission()
    first = await sent_by(intake, "system", body)
    for who, expected in (
        ("L001", ["L001"]),
        ("C001", ["C001"]),
        ("speaker", ["https://roads.example", "D-ROAD"]),
    ):
        again = await sent_by(intake, "coordinator" if who == "C001" else who, body)
        assert again["request_id"] == first["request_id"]
        assert again["receipt"] != first["receipt"]
        once_more = await sent_by(intake, "coordinator" if who == "C001" else who, body)
        assert once_more == again
        assert await issued_to(conn, Taken(intake, conn, first), again["receipt"]) == expected
    assert await sent_by(intake, "system", body) == first


async def test_case_84_a_firm_gets_a_receipt_of_its_own_of_what_staff_submitted(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    of_firm = submission(requester={"kind": "enterprise", "id": ENTERPRISE, "name": "云杉精密"})
    sent = await sent_by(intake, "L001", of_firm)
    path = f"/intake/requests/{sent['request_id']}/receipt"
    own = (await intake.post(path, headers=as_("enterprise"))).json()
    assert own["receipt"] != sent["receipt"]
    assert (await intake.post(path, headers=as_("enterprise"))).json() == own
    assert (await intake.get(own["status_url"])).json()["request_id"] == sent["request_id"]
    handed_over = (await intake.post(path, headers=as_("coordinator"))).json()
    taken = Taken(intake, conn, sent)
    assert await issued_to(conn, taken, own["receipt"]) == []
    assert await issued_to(conn, taken, handed_over["receipt"]) == ["C001"]
    for who, status in (("resident", 404), ("L001", 403), ("system", 403)):
        assert (await intake.post(path, headers=as_(who))).status_code == status


async def test_case_84_the_receipts_of_a_file_are_for_its_sender_alone(
    intake: httpx.AsyncClient,
) -> None:
    head = "source_ref,channel,kind,requester.kind,requester.id,requester.name,summary,detail\n"
    rows = "".join(
        f"r-{n},web,help,enterprise,{code(800_000 + n)},某厂,积水,雨后积水\n" for n in range(2)
    )
    entered = await intake.post(
        "/intake/imports?source=https://one-stop.example/f",
        content=(head + rows).encode(),
        headers={"content-type": "text/csv"},
    )
    path = entered.json()["status_url"]
    async with asyncio.timeout(20):
        while (seen := (await intake.get(path)).json())["state"] != "done":
            await asyncio.sleep(0.1)
    assert all(row["receipt"] and row["status_url"] for row in seen["items"])
    others = (await intake.get(path, headers=as_("coordinator"))).json()
    assert [(row["request_id"], row["receipt"], row["status_url"]) for row in others["items"]] == [
        (row["request_id"], None, None) for row in seen["items"]
    ]


async def test_case_95_no_event_has_the_name_of_a_resident(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    resident = {
        "kind": "resident",
        "id": "R-77",
        "name": "欧阳某某",
        "contact": {"name": "欧阳某某", "phone": "000-5550-0101"},
    }
    sent = await sent_by(intake, "system", submission(requester=resident))
    for data in await conn.fetch("select data from event where subject = $1", sent["request_id"]):
        assert "欧阳某某" not in data["data"]
        assert orjson.loads(data["data"])["requester"]["name"] == "欧**"
    seen = await intake.get(f"/intake/requests/{sent['request_id']}", headers=as_("coordinator"))
    assert seen.json()["requester"]["name"] == "欧阳某某"
