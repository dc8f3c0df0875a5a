"""Every door is tried by everybody: each operation by each role, each thing by those it is nothing to."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.contracts.vocabulary import Role
from tests.conftest import COUNTED
from tests.flow.doors import DOORS, STRANGERS, Whose, of, operations
from tests.flow.processes import PARTIES, Stack
from tests.flow.town import Town
from tests.flow.visiting import (
    CONCERNING,
    SECOND_ENTERPRISE,
    Visitor,
    charted_by,
    everything,
    neighbours,
    versions,
    visiting,
)

pytestmark = pytest.mark.timeout(240)

OPERATIONS = dict(operations())
COMERS: dict[str | None, str] = {
    "system": Role.SYSTEM,
    "L001": Role.LIAISON,
    "D-CON": Role.DEPARTMENT,
    "C001": Role.COORDINATOR,
    "O001": Role.OPERATOR,
    "R001": Role.REQUESTER,
    "K001": Role.CLOCK,
    None: "nobody",
    "no token of anybody": "nobody",
}
"""One of each role, and two whom nobody knows."""
NOT_SIGNED_IN = (401, "urn:liaison:problem:not_signed_in")
NOT_FOR_THIS_ROLE = (403, "urn:liaison:problem:not_for_this_role")


@pytest.fixture
async def visitor(stack: Stack) -> AsyncIterator[Visitor]:
    async with visiting() as client:
        yield Visitor(stack, client)


def test_every_operation_of_the_description_is_a_door_here() -> None:
    assert DOORS.keys() == OPERATIONS.keys()
    assert {role for role in COMERS.values() if role != "nobody"} == set(Role)
    assert all(PARTIES[who][0] == role for who, role in COMERS.items() if who in PARTIES)
    one_partys = ("{matter_id}", "{offer_id}", "{party}", "{receipt}", "{import_id}")
    for name, door in DOORS.items():
        assert door.whose is not Whose.TOWN or not any(thing in name for thing in one_partys)


async def test_each_operation_by_each_role(
    town: Town, visitor: Visitor, record_property: Any
) -> None:
    await neighbours(town)
    things = await everything(town)
    matters = [things["matter_id"], things["offered_matter"]]
    before = await versions(town, matters)
    pairs = [(name, who) for name in DOORS for who in COMERS]
    shut = [pair for pair in pairs if _shut(*pair)]
    wrong = await _wrong(visitor, things, shut)
    assert await versions(town, matters) == before, "whoever was refused moved something"
    wrong += await _wrong(visitor, things, [pair for pair in pairs if not _shut(*pair)])
    record_property(COUNTED, f"{len(pairs)} combinations, {len(shut)} of them refused")
    assert wrong == []
    assert len(pairs) == len(OPERATIONS) * (len(Role) + 2)


def _shut(name: str, who: str | None) -> tuple[int, str] | None:
    """How the door is shut to whoever comes; None where it is not."""
    roles, role = OPERATIONS[name], COMERS[who]
    if not roles or role in roles:
        return None
    return NOT_SIGNED_IN if role == "nobody" else NOT_FOR_THIS_ROLE


async def _wrong(
    visitor: Visitor, things: dict[str, str], pairs: list[tuple[str, str | None]]
) -> list[str]:
    answers = await asyncio.gather(*(visitor.tries(who, name, things) for name, who in pairs))
    return [
        f"{who} {name}: {status} {problem}"
        for (name, who), (status, problem) in zip(pairs, answers, strict=True)
        if not _as_it_should(_shut(name, who), status, problem.get("type", ""))
    ]


def _as_it_should(shut: tuple[int, str] | None, status: int, problem: str) -> bool:
    if shut is not None:
        return (status, problem) == shut
    return status < 500 and (status, problem) not in (NOT_SIGNED_IN, NOT_FOR_THIS_ROLE)


async def test_what_is_another_partys_is_not_there_or_not_theirs_at_any_stage(
    town: Town, visitor: Visitor, record_property: Any
) -> None:
    await neighbours(town)
    things = await everything(town)
    matter, tried = things["matter_id"], 0
    tried += await _strangers(town, visitor, things | {"matter_id": things["offered_matter"]})
    tried += await _strangers(town, visitor, things)
    for step in ("hold", "resume", "handle", "return-visit", "close"):
        who = "C002" if step in ("return-visit", "close") else "L001"
        await town.step(
            who, matter, step, **DOORS[f"POST /followup/matters/{{matter_id}}/{step}"].body
        )
        if step != "resume":
            tried += await _strangers(town, visitor, things)
    record_property(COUNTED, f"{tried} tries at what is another's")
    for stranger in STRANGERS[Whose.MATTER]:
        for path in ("/followup/matters", "/followup/wall-chart"):
            assert matter not in str(await town.get(stranger, path))


async def _strangers(town: Town, visitor: Visitor, things: dict[str, str]) -> int:
    """Everybody who is nothing to the things tries all of them; how many tries that were."""
    matters = [things["matter_id"], things["offered_matter"]]
    before = await versions(town, matters)
    tries = [
        (who, name)
        for name in CONCERNING
        for who in STRANGERS[DOORS[name].whose]
        if PARTIES[who][0] in OPERATIONS[name]
    ]
    answers = await asyncio.gather(*(visitor.tries(who, name, things) for who, name in tries))
    let_in = [
        (who, name, status)
        for (who, name), (status, _) in zip(tries, answers, strict=True)
        if status not in (403, 404)
    ]
    assert let_in == []
    assert await versions(town, matters) == before
    [mine] = [
        item
        for item in (await town.get("L001", "/routing/queues/L001"))["items"]
        if item["matter_id"] == things["offered_matter"]
    ]
    assert mine["offer_id"] == things["offer_id"]
    return len(tries)


async def test_what_is_another_partys_is_not_reached_from_within_ones_own(
    town: Town, visitor: Visitor, record_property: Any
) -> None:
    """L003 has a matter too, and names L001's in its steps."""
    await neighbours(town)
    requester = {"kind": "enterprise", "id": SECOND_ENTERPRISE, "name": "临江包装"}
    theirs = await charted_by(town, "L001")
    own = await charted_by(town, "L003", requester=requester)
    mixed = own | {
        "other_matter": theirs["matter_id"],
        "milestone_id": theirs["milestone_id"],
        "task_id": theirs["task_id"],
    }
    matters = [theirs["matter_id"], own["matter_id"]]
    before = await versions(town, matters)
    steps = ("merge", "join", "milestones/{milestone_id}", "tasks/{task_id}/done")
    for step in steps:
        status, problem = await visitor.tries(
            "L003", f"POST /followup/matters/{{matter_id}}/{step}", mixed
        )
        assert status == 404, f"{step}: {problem}"
    assert await versions(town, matters) == before
    record_property(COUNTED, f"{len(steps)} tries from within one's own matter")


async def test_a_receipt_opens_its_own_matter_and_nothing_else(
    town: Town, visitor: Visitor, record_property: Any
) -> None:
    ours, others = [(await town.post(town.submission())).json() for _ in range(2)]
    for each in (ours, others):
        await town.offered(each["request_id"])
    matters = [ours["request_id"], others["request_id"]]
    before = await versions(town, matters)
    receipt = ours["receipt"]
    wrong = [
        ours["request_id"],
        *(receipt[:length] for length in range(1, len(receipt) - 1)),
        *(_altered(receipt, place) for place in range(len(receipt)) if receipt[place] != "-"),
        receipt[::-1],
        receipt + "0",
        receipt + others["receipt"],
        f"{receipt}%00{receipt}",
        receipt[:13] + others["receipt"][13:],
        "%25",
        "_",
    ]
    doors = of(Whose.HOLDER)
    tries = [(name, each) for each in wrong for name in doors]
    answers = await asyncio.gather(
        *(visitor.tries(None, name, {"receipt": each}) for name, each in tries)
    )
    opened = [pair for pair, (status, _) in zip(tries, answers, strict=True) if status != 404]
    assert opened == []
    assert await versions(town, matters) == before
    # Somebody else's right receipt is somebody else's matter, whoever holds which token.
    for who in COMERS:
        shown = await town.get(str(who), f"/intake/receipts/{others['receipt']}")
        assert shown["request_id"] == others["request_id"]
        assert ours["request_id"] not in str(shown)
    await visitor.tries(
        None, "POST /intake/receipts/{receipt}/withdraw", {"receipt": others["receipt"]}
    )
    await town.in_state(others["request_id"], "withdrawn")
    assert await versions(town, matters[:1]) == before[:1]
    record_property(COUNTED, f"{len(tries)} tries with {len(wrong)} wrong receipts")


async def test_a_requester_comes_in_with_its_own_requests_alone(
    town: Town, record_property: Any
) -> None:
    own = town.submission(requester={"kind": "resident", "id": "R001", "name": "某居民"})
    taken = await town.call("R001", "POST", "/intake/requests", own)
    assert taken.status_code == 202
    path = f"/followup/matters/{taken.json()['request_id']}"
    await town.until(
        lambda: town.call("C001", "GET", path), lambda answer: answer.status_code == 200
    )
    another = await town.call("R001", "POST", "/intake/requests", town.submission())
    assert another.status_code == 403
    assert another.json()["type"] == "urn:liaison:problem:another_requester"
    assert (await town.call("R001", "GET", path)).status_code == 403
    record_property(COUNTED, "3 tries of a requester")


def _altered(receipt: str, place: int) -> str:
    other = "Z" if receipt[place] != "Z" else "Y"
    return receipt[:place] + other + receipt[place + 1 :]
