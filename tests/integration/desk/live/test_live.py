"""The live page and its stream, read as a program reads them."""

import asyncio
import time
from datetime import timedelta

import pytest

from services.desk.pages.live import updates
from shared.contracts.vocabulary import Candidacy
from shared.runtime.database import Database
from tests.integration.desk.live.conftest import MAX_STREAMS, Site
from tests.integration.followup.conftest import Followup
from tests.integration.followup.samples import (
    DEPUTY,
    MONDAY,
    accepted,
    new_matter,
    offered,
    registered,
    waiting,
)

EVERYTHING = {"asof", "health", "parts", "rates", "counts", "arrivals", "due", "next"}


async def test_the_page_shows_whom_a_matter_went_to_also_after_it_was_taken(
    site: Site, followup: Followup
):
    matter_id = new_matter()
    await followup.take(registered(matter_id, summary="北门积水"))
    await followup.take(offered(matter_id, party=DEPUTY), accepted(matter_id, party=DEPUTY))
    page = (await site.get()).text
    for words in (
        "北门积水",
        "李店小二",
        "目录第 3 版 · 规则 R-07",
        "九科园",
        "办理中",
        "首次联系",
    ):
        assert words in page


async def test_a_matter_that_waits_says_why(site: Site, followup: Followup):
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    await followup.take(waiting(matter_id))
    page = (await site.get()).text
    assert "待派原因：派单目录中没有适用的规则" in page
    assert "值班台" in page


async def test_what_is_overdue_is_marked_in_words(site: Site, followup: Followup):
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    await followup.take(offered(matter_id))
    followup.now = MONDAY + timedelta(days=1)
    page = (await site.get()).text
    assert "已超时 22 小时 0 分" in page
    assert "1+ 项已超时" in page


async def test_a_stream_begins_with_everything_and_goes_on_with_what_changed(
    site: Site, followup: Followup
):
    async with site.stream() as told:
        assert told.answer.headers["content-type"].startswith("text/event-stream")
        assert set(await told.snapshot()) == EVERYTHING
        await followup.take(registered(new_matter(), summary="路灯不亮"))
        changed = await told.snapshot()
    assert "路灯不亮" in changed["arrivals"]
    assert {"arrivals", "counts", "due"} <= set(changed)
    assert not {"rates", "health", "parts", "asof"} & set(changed)


async def test_a_commit_is_told_at_once_and_a_flood_once_a_second(site: Site, followup: Followup):
    async with site.stream() as told:
        await told.snapshot()
        await asyncio.sleep(updates.PAUSE_SECONDS)
        begun = time.monotonic()
        for number in range(30):
            await followup.take(registered(new_matter(), summary=f"第{number}条"))
        flood = time.monotonic() - begun
        messages = 0
        while "第29条" not in (await told.snapshot()).get("arrivals", ""):
            messages += 1
        spent = time.monotonic() - begun
    assert spent < flood + updates.LOOK_SECONDS - 1, "it waited for the clock, not for the commit"
    assert messages <= spent / updates.PAUSE_SECONDS + 1


async def test_a_stream_without_news_gives_a_sign_of_life(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(updates, "HEARTBEAT_SECONDS", 0.2)
    async with site.stream() as told:
        await told.snapshot()
        assert await told.message() == ("heartbeat", "")


async def test_time_alone_changes_the_page(
    site: Site, followup: Followup, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(updates, "LOOK_SECONDS", 0.5)
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    await followup.take(offered(matter_id))
    async with site.stream("en") as told:
        assert "in 2 h 0 min" in (await told.snapshot())["due"]
        followup.now += timedelta(minutes=1)
        changed = await told.snapshot()
    assert "10:01" in changed["asof"]
    assert "in 1 h 59 min" in changed["due"]


async def test_one_stream_too_many_is_refused_and_there_is_room_again_later(site: Site):
    streams = [site.stream() for _ in range(MAX_STREAMS)]
    for stream in streams:
        told = await stream.__aenter__()
        assert told.answer.status_code == 200
    refused = await site.get("/live/stream")
    assert refused.status_code == 503
    assert refused.headers["retry-after"] == "60"
    for stream in streams:
        await stream.__aexit__(None, None, None)
    async with asyncio.timeout(10):
        while True:
            async with site.stream() as told:
                if told.answer.status_code == 200:
                    break
            await asyncio.sleep(0.05)


async def test_without_followup_s_database_the_page_says_so_and_comes_back(
    site: Site, followup: Followup, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(updates, "LOOK_SECONDS", 0.5)
    await followup.take(registered(new_matter(), summary="断库之前"))
    async with site.stream() as told:
        await told.snapshot()
        await followup.db.pool.close()
        answer = await site.get()
        assert answer.status_code == 503
        assert "暂时无法显示数据" in answer.text
        assert "断库之前" not in answer.text
        changed = await told.snapshot()
    assert set(changed) == {"health", "parts"}
    assert "部分功能不可用" in changed["health"]


async def test_without_sessions_an_open_page_stays_and_another_shows_its_health(
    site: Site, followup: Followup, desk_db: Database
):
    await followup.take(registered(new_matter(), summary="断库之前"))
    await site.sign_in("C001")
    await desk_db.pool.close()
    assert "断库之前" in (await site.get()).text
    site.open_to_all(False)
    answer = await site.get()
    assert answer.status_code == 503
    assert "断库之前" not in answer.text
    assert "部分功能不可用" in answer.text
    assert (await site.get("/live/stream")).status_code == 503
    bearer = {"authorization": "Bearer C001"}
    assert "断库之前" in (await site.get(headers=bearer)).text


async def test_what_people_write_cannot_become_markup(site: Site, followup: Followup):
    await followup.take(registered(new_matter(), summary="<img src=x onerror=alert(1)>'\"&"))
    async with site.stream() as told:
        arrivals = (await told.snapshot())["arrivals"]
    assert "<img" not in arrivals
    assert "&lt;img src=x onerror=alert(1)&gt;" in arrivals
    assert "<img src=x" not in (await site.get()).text


@pytest.mark.parametrize("candidacy", list(Candidacy))
async def test_every_candidacy_has_a_label(site: Site, followup: Followup, candidacy: Candidacy):
    matter_id = new_matter()
    await followup.take(registered(matter_id))
    message = offered(matter_id)
    event = message.event.model_copy(update={"candidacy": candidacy})
    object.__setattr__(message, "event", event)
    await followup.take(message)
    assert (await site.get()).status_code == 200
    assert (await site.get("/?lang=en")).status_code == 200
