"""The departments that steps name, over HTTP and as commands, with the directory on its way by Kafka."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer

from tests.flow.test_commands import Bureau, bureau  # noqa: F401 - a fixture
from tests.flow.town import Town

DUE = (datetime.now(UTC) + timedelta(days=30)).isoformat()


def milestone(department: str) -> dict[str, Any]:
    return {"title": "意见征询", "owner_department": department, "due_at": DUE}


async def in_hand(town: Town) -> str:
    """A matter that L001 has."""
    matter: str = (await town.post(town.submission())).json()["request_id"]
    offer = await town.offered(matter)
    await town.do("L001", "POST", f"/routing/offers/{offer}/accept", {})
    await town.in_state(matter, "in_progress")
    return matter


async def test_case_92_steps_name_departments_that_there_are(town: Town, bureau: Bureau) -> None:  # noqa: F811
    matter = await in_hand(town)
    path = f"/followup/matters/{matter}"
    # Taken at once: the step waits for what is on its way.
    await town.do("C001", "PUT", "/routing/departments/D-FIN", {"name": "财政所"})
    planned = await town.call(
        "L001", "POST", f"{path}/plan", {"milestones": [milestone("D-FIN"), milestone("D-CON")]}
    )
    assert planned.status_code == 200, planned.text
    for who, code in (("D-NOPE", "unknown_department"), ("L002", "not_a_department")):
        steps: dict[str, tuple[dict[str, Any], str]] = {
            "tasks": ({"department": who, "title": "查看"}, "/body/department"),
            "plan": (
                {"milestones": [milestone("D-CON"), milestone(who)]},
                "/body/milestones/1/owner_department",
            ),
        }
        for step, (body, pointer) in steps.items():
            refused = await town.call("L001", "POST", f"{path}/{step}", body)
            assert refused.status_code == 422, refused.text
            errors = refused.json()["errors"]
            assert [(each["pointer"], each["code"]) for each in errors] == [(pointer, code)]
            kind = {"tasks": "matter.add_task", "plan": "matter.plan"}[step]
            reply = await bureau.reply(await bureau.send(kind, matter, party="L001", **body))
            assert (reply["status"], reply["code"]) == (422, "department_unknown")
            assert [(each["pointer"], each["code"]) for each in reply["faults"]] == [
                (pointer, code)
            ]
    assert (await town.call("L002", "GET", path)).status_code == 404
    seen = await town.get("C001", path)
    assert (len(seen["milestones"]), seen["tasks"]) == (2, [])
    assert (await town.call("D-FIN", "GET", path)).status_code == 200


async def test_case_92_the_directory_is_on_its_topic_under_its_ids(
    town: Town, kafka: str, kafka_prefix: str
) -> None:
    await town.do("C001", "PUT", "/routing/departments/D-CON", {"name": "城建办"})
    expected = {"D-CON", "L001", "L002", town.enterprise}
    reader = AIOKafkaConsumer(
        f"{kafka_prefix}liaison.directory", bootstrap_servers=kafka, auto_offset_reset="earliest"
    )
    await reader.start()
    newest: dict[str, tuple[str, dict[str, Any]]] = {}
    async with asyncio.timeout(30):
        while newest.keys() != expected or newest["D-CON"][1]["name"] != "城建办":
            record = await reader.getone()
            headers = {name: value.decode() for name, value in record.headers}
            newest[record.key.decode()] = (headers["ce_subject"], json.loads(record.value))
    await reader.stop()
    assert {subject for subject, _ in newest.values()} == {
        "department/D-CON", "liaison/L001", "liaison/L002", f"enterprise/{town.enterprise}",
    }  # fmt: skip
