"""A merged request in a feed: followed as its receipt shows it, each event once."""

import asyncpg
import httpx

from services.intake.handlers.progress import follow_matters
from shared.contracts.events.amending import MatterAmended
from shared.contracts.events.matters import (
    MatterContacted,
    MatterMerged,
    MatterUnmerged,
)
from tests.integration.intake.feeds import (
    HOTLINE,
    VISITS,
    S,
    by_holder,
    fed_back,
    feed,
    names,
    news,
    opened,
    submit,
)
from tests.integration.intake.test_kafka import conn

__all__ = ["conn"]


async def test_a_merged_request_is_followed_as_its_receipt_shows_it(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    mine, _ = await submit(intake, conn, "kept", source=VISITS)
    other, _ = await submit(intake, conn, "system", source=HOTLINE)
    await follow_matters(conn, [opened(mine), opened(other), fed_back(other, "合并之前")])
    # The batch has what happened afterwards before the merge itself.
    merge = news(mine, MatterMerged, S.MERGED, into=other.id, reason="与某先生所说为一件事")
    answered = fed_back(other, "已安排")
    words = news(other, MatterAmended, S.IN_PROGRESS, message="还有一处", request_id=mine.id)
    note = news(other, MatterContacted, S.IN_PROGRESS, note="对方手机号已记")
    await follow_matters(conn, [answered, by_holder(words, mine.id), merge, note])
    found = await feed(intake, 5, "kept")
    assert names(found) == [
        (mine.id, "request.registered"), (mine.id, "matter.opened"), (other.id, "matter.fed_back"),
        (mine.id, "matter.merged"), (other.id, "matter.contacted"),
    ]  # fmt: skip
    by_type = {event["type"]: event for event in found if event["subject"] == other.id}
    fed, contacted = by_type["liaison.matter.fed_back.v1"], by_type["liaison.matter.contacted.v1"]
    assert fed["id"] == str(answered.id)
    assert (fed["excerpt"], fed["requestid"]) == (True, mine.id)
    assert fed["data"]["text"] == "已安排"
    assert "note" not in contacted["data"]
    theirs = await feed(intake, 6, "system")
    amended = next(event for event in theirs if event["type"] == "liaison.matter.amended.v1")
    assert amended["excerpt"] is True
    assert "message" not in amended["data"]
    assert "actor" not in amended["data"]
    contacted = next(event for event in theirs if event["type"] == "liaison.matter.contacted.v1")
    assert contacted["data"]["note"] == "对方手机号已记"
    # Undone, it is followed no more.
    await follow_matters(conn, [news(mine, MatterUnmerged, S.RECEIVED, out_of=other.id, reason="")])
    await follow_matters(conn, [fed_back(other, "与本件无关"), fed_back(mine, "另办")])
    found = await feed(intake, 7, "kept")
    assert names(found)[5:] == [(mine.id, "matter.unmerged"), (mine.id, "matter.fed_back")]


async def test_a_system_that_has_both_of_a_merge_finds_each_event_once(
    intake: httpx.AsyncClient, conn: asyncpg.Connection
) -> None:
    first, _ = await submit(intake, conn, "kept", source=VISITS)
    second, _ = await submit(intake, conn, "kept", source="https://park.example/web")
    await follow_matters(conn, [opened(first), opened(second)])
    merge = news(first, MatterMerged, S.MERGED, into=second.id, reason="一件事")
    await follow_matters(conn, [merge, fed_back(second, "已安排")])
    found = await feed(intake, 6, "kept")
    assert len({event["id"] for event in found}) == len(found) == 6
    assert found[-1]["data"]["text"] == "已安排"
    assert "excerpt" not in found[-1]
