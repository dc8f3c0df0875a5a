"""Who may submit what: a requester for itself alone, a system under what its token says, each in a space of its own."""

import asyncio
from typing import Any

import asyncpg
import httpx
import pytest

from shared.tables.writing import as_csv
from tests.integration.intake.samples import ENTERPRISE, RESIDENT, cloudevent, submission

BATCH = {"content-type": "application/cloudevents-batch+json"}
EVENT = {"content-type": "application/cloudevents+json"}
VISITS = "https://park.example/visits"
PROBLEM = "urn:liaison:problem:"
WHO = {"enterprise": ("enterprise", ENTERPRISE), "resident": ("resident", RESIDENT)}


def of(token: str, **changes: Any) -> dict[str, Any]:
    """A submission of whoever has this token."""
    kind, party = WHO[token]
    requester = {"kind": kind, "id": party, "name": "云杉精密"}
    return submission(requester=requester, **changes)


async def post(
    intake: httpx.AsyncClient, token: str, sent: object, **headers: str
) -> httpx.Response:
    headers = {"authorization": f"Bearer {token}", **headers}
    return await intake.post("/intake/requests", json=sent, headers=headers)


def refused(answer: httpx.Response, code: str) -> bool:
    return (answer.status_code, answer.json().get("type")) == (403, PROBLEM + code)


@pytest.mark.parametrize("token", WHO)
async def test_a_requester_asks_for_itself(intake: httpx.AsyncClient, token: str) -> None:
    sent = of(token)
    taken = await post(intake, token, sent)
    assert taken.status_code == 202
    assert (await intake.get(taken.json()["status_url"])).status_code == 200
    again = await post(intake, token, sent)
    assert (again.status_code, again.json()) == (200, taken.json())
    changed = await post(intake, token, sent | {"summary": "另一件事"})
    assert changed.status_code == 409


@pytest.mark.parametrize("token", WHO)
async def test_a_requester_asks_for_nobody_else(intake: httpx.AsyncClient, token: str) -> None:
    other = submission()
    answer = await post(intake, token, other)
    assert refused(answer, "another_requester")
    assert WHO[token][1] in answer.json()["detail"]
    assert refused(await post(intake, token, cloudevent(other), **EVENT), "another_requester")
    # It was not taken under that name either.
    assert (await post(intake, "system", other)).status_code == 202


async def test_in_a_batch_a_requester_is_told_of_each(intake: httpx.AsyncClient) -> None:
    mine = of("resident")
    events = [cloudevent(each) for each in (submission(), mine, of("enterprise"), mine)]
    answer = await post(intake, "resident", events, **BATCH)
    assert answer.status_code == 200
    assert [item["status"] for item in answer.json()["items"]] == [403, 202, 403, 200]
    assert answer.json()["items"][0]["type"] == PROBLEM + "another_requester"


async def test_a_requesters_names_are_nobody_elses(intake: httpx.AsyncClient) -> None:
    """Whoever guesses how a system names its requests neither reads a receipt nor stands in its way."""
    theirs = of("enterprise")
    taken = (await post(intake, "system", theirs)).json()
    same = await post(intake, "enterprise", theirs)
    assert same.status_code == 202
    assert same.json()["receipt"] != taken["receipt"]
    before = of("enterprise")
    assert (await post(intake, "enterprise", before | {"summary": "先占编号"})).status_code == 202
    assert (await post(intake, "system", before)).status_code == 202


async def test_what_is_recorded_of_a_requester_outlives_no_erasure(
    intake: httpx.AsyncClient, database_url: str
) -> None:
    """A resident's id stands where an erasure finds it, and nowhere else."""
    request_id = (await post(intake, "resident", of("resident"))).json()["request_id"]
    connection = await asyncpg.connect(database_url)
    try:
        actor = await connection.fetchval(
            "select data -> 'actor' from intake.event where subject = $1", request_id
        )
        rest = await connection.fetchval(
            "select (to_jsonb(request) - 'requester_id')::text from intake.request where id = $1",
            request_id,
        )
    finally:
        await connection.close()
    assert request_id in actor
    assert RESIDENT not in actor
    assert RESIDENT not in rest


async def test_a_system_kept_to_its_sources_submits_under_these(intake: httpx.AsyncClient) -> None:
    good, wrong = submission(source=VISITS), submission()
    assert (await post(intake, "kept", good)).status_code == 202
    answer = await post(intake, "kept", wrong)
    assert refused(answer, "another_source")
    assert VISITS in answer.json()["detail"]
    batch = [cloudevent(each) for each in (wrong, good, submission(source=VISITS))]
    answer = await post(intake, "kept", batch, **BATCH)
    assert [item["status"] for item in answer.json()["items"]] == [403, 200, 202]
    # One whose envelope alone names the source.
    unnamed = submission()
    del unnamed["source"], unnamed["source_ref"]
    assert refused(await post(intake, "kept", cloudevent(unnamed), **EVENT), "another_source")
    named = cloudevent(unnamed, source=VISITS)
    assert (await post(intake, "kept", named, **EVENT)).status_code == 202


async def test_a_file_is_kept_to_the_sources_too(intake: httpx.AsyncClient) -> None:
    headers = {"authorization": "Bearer kept", "content-type": "text/csv"}
    header = ("source", "source_ref", "channel", "kind", "requester.kind", "requester.id",
              "requester.name", "summary", "detail")  # fmt: skip
    rest = ("走访", "求助", "企业", ENTERPRISE, "云杉精密", "积水", "雨后积水")
    raw = as_csv(header, [(VISITS, "1", *rest), ("https://other.example", "2", *rest)])
    path = "/intake/imports?source="
    elsewhere = await intake.post(f"{path}https://other.example", content=raw, headers=headers)
    assert refused(elsewhere, "another_source")
    entered = await intake.post("/intake/imports", content=raw, headers=headers)
    assert entered.status_code == 202
    async with asyncio.timeout(20):
        while True:
            status = await intake.get(entered.json()["status_url"], headers=headers)
            if status.json()["state"] == "done":
                break
            await asyncio.sleep(0.05)
    good, wrong = status.json()["items"]
    assert (good["outcome"], wrong["outcome"]) == ("taken", "faulty")
    assert wrong["errors"][0]["code"] == "another_source"
