"""The overview: what is new and due, with names beside ids, of the matters that the caller may see."""

from datetime import timedelta

import pytest

from tests.integration.followup.conftest import Api, Followup
from tests.integration.followup.samples import (
    DEPUTY,
    accepted,
    new_matter,
    offered,
    registered,
    waiting,
)


async def test_an_arrival_says_whom_it_went_to_and_why(api: Api, followup: Followup):
    matter_id = new_matter()
    await followup.take(registered(matter_id, summary="北门积水"))
    await followup.take(offered(matter_id, party=DEPUTY), accepted(matter_id, party=DEPUTY))
    whole = (await api.get("/overview")).json()
    (arrival,) = whole["arrivals"]
    assert arrival["summary"] == "北门积水"
    assert arrival["state"] == "in_progress"
    assert arrival["last_offer"]["party"] == {"id": "L002", "kind": "liaison", "name": "李店小二"}
    assert (arrival["dispatch"]["rule_id"], arrival["dispatch"]["catalogue_version"]) == ("R-07", 3)
    assert whole["counts"] == {"in_progress": 1}
    assert set(whole["rates"]) == {"response", "resolution", "satisfaction"}
    listed = (await api.get("/matters")).json()["items"][0]
    assert listed.items() <= arrival.items()


async def test_a_promise_says_whose_it_is(api: Api, followup: Followup):
    lists = []
    for number, take in enumerate((offered, waiting)):
        matter_id = new_matter()
        await followup.take(registered(matter_id, summary=f"第{number}条"))
        await followup.take(take(matter_id))
        lists.append(matter_id)
    due = {each["matter_id"]: each for each in (await api.get("/overview")).json()["due"]}
    assert due[lists[0]]["whose"] == {"id": "L001", "kind": "liaison", "name": "王店小二"}
    assert due[lists[0]]["clock"] == "accept"
    assert due[lists[1]]["whose"] == {"id": "DESK", "kind": "desk", "name": "DESK"}


async def test_a_liaison_sees_its_own_and_an_operator_all(api: Api, followup: Followup):
    for party in ("L001", "L002"):
        matter_id = new_matter()
        await followup.take(registered(matter_id, summary=f"{party}的事项"))
        named = {"party": DEPUTY} if party == "L002" else {}
        await followup.take(offered(matter_id, **named), accepted(matter_id, **named))
    for who, count in (("L001", 1), ("L002", 1), ("O001", 2), ("C001", 2), ("D-TAX", 0)):
        whole = (await api.get("/overview", who)).json()
        assert len(whole["arrivals"]) == len(whole["due"]) == count, who
        assert sum(whole["counts"].values()) == count
        if count == 1:
            assert whole["arrivals"][0]["summary"] == f"{who}的事项"
    assert (await api.get("/overview", "system")).status_code == 403


async def test_a_limit_bounds_both_lists_and_the_moment_is_the_clock_s(
    api: Api, followup: Followup
):
    for _ in range(3):
        await followup.in_progress()
    followup.now += timedelta(hours=1)
    whole = (await api.get("/overview", limit=2)).json()
    assert (len(whole["arrivals"]), len(whole["due"])) == (2, 2)
    assert whole["at"] == followup.now.isoformat().replace("+00:00", "Z")
    assert whole["counts"] == {"in_progress": 3}


@pytest.mark.parametrize("limit", [0, 101, "x"])
async def test_a_limit_has_bounds(api: Api, limit: object):
    assert (await api.get("/overview", limit=limit)).status_code == 422
