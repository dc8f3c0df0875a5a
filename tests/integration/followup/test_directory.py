"""The directory as followup knows it, by events that a compacted topic left; and the steps that name its parties."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest

from services.followup.consumers import Consume, applies, publishing
from shared.contracts.events.directory import (
    AbsenceChanged,
    DepartmentChanged,
    DirectoryEvent,
    EnterpriseChanged,
    LiaisonChanged,
)
from shared.contracts.events.event import Actor
from shared.contracts.events.published import EVENTS
from shared.contracts.vocabulary import Role, Tier
from shared.delivery.cloudevents import Raw
from shared.delivery.inbox.consumer import Inbound
from shared.runtime.database import Database
from tests.flow.doors import DOORS
from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import MONDAY, OFFICE, message
from tests.integration.followup.test_inbound import raw_of
from tests.support.described import document

COORDINATOR = Actor(role=Role.COORDINATOR, party="C001")
DUE = "2026-03-20T17:30:00+08:00"
STEPS = "/followup/matters/{matter_id}/"
PARTY_FIELDS = ("department", "liaison", "owner", "party", "deputy", "assignee")


def department(party: str, name: str = "税务所") -> DepartmentChanged:
    return DepartmentChanged(actor=COORDINATOR, department_id=party, name=name)


def liaison(party: str, name: str = "李店小二") -> LiaisonChanged:
    return LiaisonChanged(actor=COORDINATOR, liaison_id=party, name=name, department_id="D-TAX")


def record(event: DirectoryEvent, version: int = 1) -> Raw:
    return raw_of(message(event.entry, event, sequence=version), version)


TOWN = (department("D-TAX"), department("D-CON"), department("D-FIRE"), liaison("L002"))


@pytest.fixture
def consume(db: Database, followup: Followup) -> Consume:
    inbound = Inbound(db, "followup", applies(OFFICE, followup.clock, followup.news), EVENTS)
    return publishing(inbound.process, followup.news)


async def parties(followup: Followup) -> dict[str, tuple[str, str]]:
    rows = await followup.rows("select id, kind, name from party")
    return {row["id"]: (row["kind"], row["name"]) for row in rows}


async def letters(followup: Followup) -> list[dict[str, Any]]:
    return await followup.rows("select fate, subject, version from dead_letter")


async def test_case_92_the_newest_of_each_key_alone_is_enough(
    followup: Followup, consume: Consume
) -> None:
    """As a new reader meets a topic that was compacted: versions with gaps before them, and none of them waits."""
    firm = EnterpriseChanged(
        actor=COORDINATOR, uscc="91330100MA27XW1N8T", name="云杉精密", tier=Tier.LARGE
    )
    absence = AbsenceChanged(actor=COORDINATOR, liaison_id="L002", absence_id="A1", from_at=MONDAY)
    await consume(
        [
            record(department("D-TAX", "税务所(新)"), 7),
            record(liaison("L002", "李二"), 31),
            record(firm, 4),
            record(absence, 2),
        ]
    )
    assert await parties(followup) == {
        "D-TAX": ("department", "税务所(新)"),
        "L002": ("liaison", "李二"),
    }
    assert await letters(followup) == []


@pytest.mark.parametrize("seed", range(6))
async def test_case_92_in_whatever_order_versions_come_the_largest_stands(
    followup: Followup, consume: Consume, seed: int
) -> None:
    """Any part of each party's versions, in any order and batches, some of them twice."""
    chance = random.Random(seed)  # noqa: S311 - a seed, no secret
    expected, records = {}, []
    for number in range(6):
        party = f"D-{number}"
        left = sorted(chance.sample(range(1, 30), chance.randint(1, 12)))
        expected[party] = ("department", f"第{left[-1]}版")
        records += [record(department(party, f"第{version}版"), version) for version in left]
    records += chance.sample(records, 5)
    chance.shuffle(records)
    while records:
        size = chance.randint(1, 9)
        await consume(records[:size])
        records = records[size:]
    assert await parties(followup) == expected
    assert await letters(followup) == []


async def test_case_92_what_no_owner_said_is_kept_for_somebody_to_see(
    followup: Followup, consume: Consume
) -> None:
    await consume([record(department("D-TAX", "税务所"), 3)])
    forged = record(department("D-TAX", "冒名"), 3)
    other = raw_of(message("department/D-NOPE", department("D-TAX", "冒名"), sequence=1), 1)
    await consume([forged, other])
    assert await parties(followup) == {"D-TAX": ("department", "税务所")}
    assert sorted((row["fate"], row["subject"]) for row in await letters(followup)) == [
        ("failed", "department/D-NOPE"),
        ("failed", "department/D-TAX"),
    ]


async def test_case_92_milestones_and_tasks_are_of_departments_that_there_are(
    followup: Followup, consume: Consume, api: Api
) -> None:
    await consume([record(event) for event in TOWN])
    matter = await followup.in_progress()
    task = await api.refused(f"{matter}/tasks", "L001", {"department": "L002", "title": "核对"})
    assert (task["status"], task["code"]) == (422, "department_unknown")
    assert [(each["pointer"], each["code"]) for each in task["errors"]] == [
        ("/body/department", "not_a_department")
    ]
    steps = [
        {"title": "核税", "owner_department": each, "due_at": DUE}
        for each in ("D-TAX", "D-NOPE", "L002")
    ]
    plan = await api.refused(f"{matter}/plan", "L001", {"milestones": steps})
    assert [(each["pointer"], each["code"]) for each in plan["errors"]] == [
        ("/body/milestones/1/owner_department", "unknown_department"),
        ("/body/milestones/2/owner_department", "not_a_department"),
    ]
    assert (await followup.matter(matter))["version"] == 3
    assert await followup.rows("select matter_id from listing where name like '%L002'") == []
    assert (await api.get(f"/matters/{matter}", "L002")).status_code == 404
    given = await api.done(f"{matter}/tasks", "L001", {"department": "D-TAX", "title": "核对"})
    assert [each["department"] for each in given["tasks"]] == ["D-TAX"]
    await api.done(f"{matter}/plan", "L001", {"milestones": steps[:1]})
    assert (await api.get(f"/matters/{matter}", "D-TAX")).status_code == 200


async def test_case_92_a_department_entered_a_moment_ago_is_waited_for(
    followup: Followup, consume: Consume, api: Api
) -> None:
    await consume([record(event) for event in TOWN])
    matter = await followup.in_progress()
    body = {"department": "D-NEW", "title": "核对"}
    step = asyncio.create_task(api.done(f"{matter}/tasks", "L001", body))
    await asyncio.sleep(0.3)
    await consume([record(department("D-NEW"))])
    assert [each["department"] for each in (await step)["tasks"]] == ["D-NEW"]


async def test_case_92_a_wrong_id_is_waited_for_once(
    followup: Followup, consume: Consume, api: Api
) -> None:
    """Commands are processed one by one: a wrong id in many of them must not hold up the others by 2 s each."""
    loop = asyncio.get_running_loop()
    await consume([record(event) for event in TOWN])
    matter = await followup.in_progress()
    body = {"department": "D-NOPE", "title": "核对"}
    begun = loop.time()
    await api.refused(f"{matter}/tasks", "L001", body)
    first, begun = loop.time() - begun, loop.time()
    for _ in range(10):
        refused = await api.refused(f"{matter}/tasks", "L001", body)
        assert (refused["status"], refused["errors"][0]["pointer"]) == (422, "/body/department")
    assert 1.9 < first < 5
    assert loop.time() - begun < 5
    await consume([record(department("D-NOPE"))])
    await api.done(f"{matter}/tasks", "L001", body)


async def test_case_92_before_a_directory_was_heard_a_step_is_not_stuck(
    followup: Followup, consume: Consume, api: Api
) -> None:
    """An upgraded service whose routing has published nothing yet; liaisons alone are no directory of departments."""
    matter = await followup.in_progress()
    body = {"department": "D-NOPE", "title": "核对"}
    await api.done(f"{matter}/tasks", "L001", body)
    await consume([record(liaison("L009"))])
    await api.done(f"{matter}/tasks", "L001", body)
    await consume([record(department("D-TAX"))])
    assert (await api.refused(f"{matter}/tasks", "L001", body))["status"] == 422


def fields(schema: dict[str, Any], place: tuple[str | int, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places in a body whose fields name a party, by the description."""
    if reference := schema.get("$ref"):
        name = reference.rpartition("/")[2]
        yield from fields(document()["components"]["schemas"][name], place)
    for each in schema.get("anyOf", ()):
        yield from fields(each, place)
    if "items" in schema:
        yield from fields(schema["items"], (*place, 0))
    for name, inner in schema.get("properties", {}).items():
        if any(word in name for word in PARTY_FIELDS):
            yield (*place, name)
        else:
            yield from fields(inner, (*place, name))


def naming() -> list[Any]:
    """Every step with each of its fields that names a party."""
    found = []
    for path, item in document()["paths"].items():
        if path.startswith(STEPS) and "post" in item:
            content = item["post"].get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            found += [(path.removeprefix(STEPS), place) for place in fields(schema)]
    return found


def test_case_92_the_description_has_steps_that_name_parties() -> None:
    assert {step for step, _ in naming()} >= {"plan", "tasks"}


def with_party(body: Any, place: tuple[str | int, ...], party: str) -> Any:
    if not place:
        return party
    first, *rest = place
    if isinstance(body, list):
        return [with_party(body[0], tuple(rest), party), *body[1:]]
    return body | {first: with_party(body.get(first), tuple(rest), party)}


@pytest.mark.parametrize(("step", "place"), naming())
@pytest.mark.parametrize("party", ["D-NOPE", "L002", "DESK", "d-tax"])
async def test_case_92_every_step_refuses_who_is_no_department(
    followup: Followup,
    consume: Consume,
    api: Api,
    step: str,
    place: tuple[str | int, ...],
    party: str,
) -> None:
    await consume([record(event) for event in TOWN])
    followup.now = MONDAY
    matter = await followup.in_progress()
    body = with_party(DOORS[f"POST {STEPS}{step}"].body, place, party)
    refused = await api.refused(f"{matter}/{step}", "L001", body)
    assert refused["status"] == 422, refused
    pointer = "/body/" + "/".join(str(part) for part in place)
    assert [each["pointer"] for each in refused["errors"]] == [pointer]
    assert (await followup.matter(matter))["version"] == 3
