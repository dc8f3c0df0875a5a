"""What offices and senders write, over HTTP, in files and on Kafka: read as it was meant, or refused by name."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaProducer

from shared.contracts.fields import uscc
from tests.integration.intake.samples import submission

INPUTS = Path(__file__).parents[2] / "cases" / "inputs"
PATH = "/intake/requests"


async def imported(intake: httpx.AsyncClient, raw: bytes) -> list[dict[str, Any]]:
    answer = await intake.post("/intake/imports", content=raw)
    assert answer.status_code == 202, answer.text
    async with asyncio.timeout(20):
        while True:
            found = (await intake.get(answer.json()["status_url"])).json()
            if found["state"] == "done":
                return found["items"]
            await asyncio.sleep(0.05)


async def rows(database_url: str, statement: str) -> list[asyncpg.Record]:
    conn = await asyncpg.connect(database_url, server_settings={"search_path": "intake"})
    found = await conn.fetch(statement)
    await conn.close()
    return found


OCCURRED = """
select source_ref, to_char(occurred_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI') as wall
from request order by source_ref"""


async def test_case_06_the_dates_of_a_file_are_the_days_that_were_meant(
    intake: httpx.AsyncClient, database_url: str
) -> None:
    items = await imported(intake, (INPUTS / "06-dates.csv").read_bytes())
    assert [item["outcome"] for item in items] == ["taken"] * 5
    assert [row["wall"] for row in await rows(database_url, OCCURRED)] == [
        "2023-11-09 00:00",
        "2023-11-09 00:00",
        "2023-11-09 15:30",
        "2023-11-09 09:30",
        "2023-11-09 09:30",
    ]


async def test_case_06_a_day_number_in_a_workbook_is_that_day(
    intake: httpx.AsyncClient, database_url: str
) -> None:
    items = await imported(intake, (INPUTS / "06-date-as-serial.xlsx").read_bytes())
    assert [item["outcome"] for item in items] == ["taken"]
    assert [row["wall"] for row in await rows(database_url, OCCURRED)] == ["2023-11-09 09:00"]


@pytest.mark.parametrize("at", [1699491600, "1699491600", 20231109, "20231109", "45239", 1.5, True])
async def test_case_06_a_number_is_no_moment_in_json(intake: httpx.AsyncClient, at: Any) -> None:
    answer = await intake.post(PATH, json=submission(occurred_at=at), params={"lang": "en"})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["pointer"], error["code"]) == (
        422,
        "/occurred_at",
        "datetime_number",
    )
    assert "2026-03-02T09:30:00+08:00" in error["detail"]


async def test_case_06_a_number_is_no_moment_on_kafka(
    intake: httpx.AsyncClient, database_url: str, kafka: str, kafka_prefix: str
) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    sent = submission(occurred_at=1699491600, source_ref="case-06")
    await producer.send_and_wait(f"{kafka_prefix}liaison.submissions", json.dumps(sent).encode())
    await producer.stop()
    told = "select data from event where type = 'liaison.request.rejected.v1'"
    async with asyncio.timeout(20):
        while not (found := await rows(database_url, told)):
            await asyncio.sleep(0.1)
    (fault,) = json.loads(found[0]["data"])["faults"]
    assert (fault["pointer"], fault["code"]) == ("/occurred_at", "datetime_number")


async def test_case_40_a_phone_is_kept_as_it_was_written(
    intake: httpx.AsyncClient, database_url: str
) -> None:
    phones = [
        "(021) 6760-1234",
        "021-67601234转801",
        "１３８００００００００",
        "13800000000/13900000000",
    ]
    for phone in phones:
        sent = submission()
        sent["requester"]["contact"]["phone"] = phone
        assert (await intake.post(PATH, json=sent)).status_code == 202
    kept = await rows(database_url, "select contact_phone from request order by received_at, id")
    assert [row["contact_phone"] for row in kept] == phones
    sent = submission()
    sent["requester"]["contact"]["phone"] = "请打办公室"
    (error,) = (await intake.post(PATH, json=sent)).json()["errors"]
    assert (error["pointer"], error["code"]) == ("/requester/contact/phone", "phone")
    assert "021-67601234" in error["detail"]


async def test_case_41_every_spelling_of_a_code_is_one_firm(
    intake: httpx.AsyncClient, database_url: str
) -> None:
    body = "91990117MA0A49643"
    code = body + uscc.check_character(body)
    wide = "".join(chr(ord(each) + 0xFEE0) for each in code)
    for spelling in (code, code.lower(), f"{code[:8]} {code[8:]}", wide, f"{code[:6]}-{code[6:]}"):
        sent = submission()
        sent["requester"]["id"] = spelling
        answer = await intake.post(PATH, json=sent)
        assert answer.status_code == 202, answer.text
    kept = await rows(database_url, "select distinct requester_id from request")
    assert [row["requester_id"] for row in kept] == [code]


async def test_case_41_a_wrong_code_is_an_error_at_its_own_field(intake: httpx.AsyncClient) -> None:
    for code, word in (("91990117MA0A496430", "校验位"), ("X", "18 位"), ("O" * 18, "字母")):
        sent = submission()
        sent["requester"]["id"] = code
        answer = await intake.post(PATH, json=sent, params={"lang": "zh"})
        (error,) = answer.json()["errors"]
        assert (error["pointer"], error["code"]) == ("/requester/id", "uscc")
        assert word in error["detail"]


@pytest.mark.parametrize("name", ["\u200b", "\u3164", "\u2800", "\U000e0041", "苇州\u202e数控"])
async def test_case_48_a_name_is_seen_and_turns_nothing_round(
    intake: httpx.AsyncClient, name: str
) -> None:
    sent = submission(summary=name)
    sent["requester"]["name"] = name
    answer = await intake.post(PATH, json=sent)
    assert answer.status_code == 422
    found = {error["pointer"] for error in answer.json()["errors"]}
    assert found == {"/requester/name", "/summary"}


async def test_case_88_no_text_and_no_address_with_nul_is_a_fault(
    intake: httpx.AsyncClient,
) -> None:
    for path, status in (
        ("/intake/receipts/a%00b", 404),
        ("/intake/requests/%00", 404),
        ("/intake/imports?source=urn:x%00y", 422),
        ("/intake/receipts/AAAA?lang=%00", 422),
    ):
        answer = await intake.get(path)
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["content-type"].startswith("application/problem+json")
    for field in ("summary", "detail", "location", "category", "source", "source_ref"):
        answer = await intake.post(PATH, json=submission(**{field: "urn:a\0b"}))
        assert answer.status_code == 422, field
