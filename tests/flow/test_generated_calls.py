"""Calls made from the API's own description, in every role: no fault of ours, and no answer that it does not name."""

import asyncio
from typing import Any

import pytest
import requests
from schemathesis import Case

from tests.conftest import COUNTED
from tests.flow.generated import cases_of, described_operations, faults_of
from tests.flow.processes import Stack
from tests.flow.test_doors import COMERS, OPERATIONS
from tests.flow.town import Town
from tests.flow.visiting import everything, neighbours
from tests.support.drawing import SEED

ROLES = [who for who in COMERS if who != "no token of anybody"]


@pytest.mark.timeout(600)
async def test_no_generated_call_meets_a_fault(
    town: Town, stack: Stack, record_property: Any
) -> None:
    await neighbours(town)
    things = await everything(town)
    operations = list(described_operations())
    assert {operation.label for operation in operations} == OPERATIONS.keys()
    cases = [case for operation in operations for case in cases_of(operation, things)]
    assert {case.operation.label for case in cases} == OPERATIONS.keys()

    found = await asyncio.gather(*(asyncio.to_thread(_as, who, cases, stack) for who in ROLES))
    faults = [f"{who}: {fault}" for who, each in zip(ROLES, found, strict=True) for fault in each]
    record_property(
        COUNTED,
        f"seed {SEED}, {len(operations)} operations, {len(cases)} cases in each of "
        f"{len(ROLES)} roles, {len(faults)} failures",
    )
    assert not faults, "\n".join(faults[:20])
    for process in stack.processes.values():
        await process.ready()
    taken = (await town.post(town.submission())).json()
    await town.in_state(taken["request_id"], "offered")


def _as(who: str | None, cases: list[Case], stack: Stack) -> list[str]:
    with requests.Session() as session:
        return [
            fault
            for case in cases
            for fault in faults_of(case, stack.origin(case.operation.path), session, who)
        ]
