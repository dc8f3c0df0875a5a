"""A receipt's page in front of a real intake: what its holder reads and does, and what nobody else finds out."""

from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest

from services.intake.handlers.progress import follow_matters
from shared.auth.brute_force import BruteForceGuard
from shared.contracts.events.matters import MatterWithdrawn
from shared.contracts.vocabulary import MatterState
from shared.messages.catalogue import text
from tests.integration.desk.public.forms import Shown, typed
from tests.integration.desk.public.running import Away, Desk
from tests.integration.intake.test_receipts import Taken


class Held:
    """A receipt as its holder has it: an address, and the news of its matter that followup sends."""

    def __init__(self, phone: httpx.AsyncClient, path: str, news: Taken) -> None:
        self.phone = phone
        self.path = path
        self.news = news

    async def page(self) -> Shown:
        answer = await self.phone.get(self.path)
        assert answer.status_code == 200, answer.text
        return Shown(answer.text)

    async def send(self, step: str, **changes: str) -> httpx.Response:
        form = (await self.page()).forms[f"{self.path}/{step}"].values
        return await self.phone.post(f"{self.path}/{step}", data={**form, **changes})


@pytest.fixture
async def held(phone: httpx.AsyncClient, conn: asyncpg.Connection) -> Held:
    form = Shown((await phone.get("/ask")).text).forms["/ask"].values
    answer = await phone.post("/ask", data={**form, **typed()})
    path = answer.headers["location"].partition("?")[0]
    request_id = await conn.fetchval("select id from request")
    taken = Taken(phone, conn, {"request_id": str(request_id), "status_url": path})
    return Held(phone, path, taken)


def refusal(state: MatterState, allowed: str) -> str:
    return text("problem.not_in_this_state.detail", state=text(f"state.{state}"), allowed=allowed)


async def events(conn: asyncpg.Connection) -> list[str]:
    rows = await conn.fetch("select type from event order by version")
    return [row["type"].removeprefix("liaison.") for row in rows[1:]]


async def test_the_holder_sees_what_the_staff_did(held: Held):
    fresh = await held.page()
    assert "已经收到，正在分给合适的人办理。" in fresh.text
    assert set(fresh.forms) == {f"{held.path}/messages", f"{held.path}/withdraw"}
    await held.news.handled()
    page = await held.page()
    for words in ("沈一", "待回访", "排水管已疏通", "已到现场查看", "办得怎么样"):
        assert words in page.text
    assert page.text.index("已到现场查看") < page.text.index(text("timeline.matter.taken")), (
        "the latest comes first"
    )


async def test_facts_are_added_once_however_often_they_are_sent(
    held: Held, conn: asyncpg.Connection
):
    form = (await held.page()).forms[f"{held.path}/messages"].values
    sent = [
        await held.phone.post(f"{held.path}/messages", data={**form, "message": message})
        for message in ("又下雨了", "又下雨了", "水退了")
    ]
    assert {answer.headers["location"] for answer in sent} == {f"{held.path}?done=messages"}
    # The same form with another text, as after the back button, is another message.
    assert await events(conn) == ["request.amended.v1"] * 2
    assert "补充的情况已经收到" in (await held.phone.get(sent[0].headers["location"])).text


async def test_the_return_visit_is_answered_when_it_is_due(held: Held, conn: asyncpg.Connection):
    early = await held.phone.post(
        f"{held.path}/answer", data={"solved": "yes", "satisfaction": "5", "words": "很快"}
    )
    assert early.status_code == 409
    assert refusal(MatterState.RECEIVED, "待回访") in Shown(early.text).text
    await held.news.handled()
    empty = await held.send("answer", words="还行")
    assert empty.status_code == 422
    shown = Shown(empty.text)
    assert {"#solved", "#satisfaction"} <= set(shown.links)
    assert shown.forms[f"{held.path}/answer"].values["words"] == "还行"
    done = await held.send("answer", solved="no", satisfaction="2", words="还在积水")
    assert done.status_code == 303
    assert await events(conn) == ["return_visit.answered.v1"]
    assert "谢谢，您的评价已经收到。" in (await held.phone.get(done.headers["location"])).text


async def test_a_request_is_taken_back_and_that_is_the_end(held: Held, conn: asyncpg.Connection):
    done = await held.send("withdraw", reason="已自行解决")
    assert done.headers["location"] == f"{held.path}?done=withdraw"
    at_once = Shown((await held.phone.get(done.headers["location"])).text)
    assert not at_once.forms
    await follow_matters(
        conn, [held.news.news(MatterWithdrawn, MatterState.WITHDRAWN, reason="已自行解决")]
    )
    page = await held.page()
    assert "您已撤回，不再办理。" in page.text
    assert not page.forms
    late = await held.phone.post(f"{held.path}/messages", data={"message": "等等"})
    assert late.status_code == 409
    assert "事项现为“已撤回”" in Shown(late.text).text


async def test_while_intake_is_away_the_page_says_so_and_keeps_what_was_typed(
    held: Held, away: Away, conn: asyncpg.Connection
):
    form = (await held.page()).forms[f"{held.path}/messages"].values | {"message": "一\n二"}
    away.down = True
    unseen = await held.phone.get(held.path)
    assert (unseen.status_code, unseen.headers["retry-after"]) == (503, "5")
    refused = await held.phone.post(f"{held.path}/messages", data=form)
    assert refused.status_code == 503
    again = Shown(refused.text).forms[f"{held.path}/messages"].values
    assert again == form
    away.down = False
    assert (await held.phone.post(f"{held.path}/messages", data=again)).status_code == 303
    assert await events(conn) == ["request.amended.v1"]


async def test_a_text_that_is_too_long_is_named_and_kept(held: Held):
    refused = await held.send("messages", message="长" * 2001)
    assert refused.status_code == 422
    shown = Shown(refused.text)
    assert "至多 2000 个字符。" in shown.text
    assert len(shown.forms[f"{held.path}/messages"].values["message"]) == 2001
    # The browser's address is the step's now, and somebody opens it again.
    assert (await held.phone.get(f"{held.path}/messages")).headers["location"] == held.path


async def test_a_receipt_is_found_as_people_type_it(held: Held):
    code = held.path.removeprefix("/r/")
    for written in (
        code.lower(),
        code.replace("-", " "),
        f"https://town.example{held.path}?done=x",
    ):
        answer = await held.phone.post("/r", data={"code": written})
        assert answer.headers["location"] == held.path
    assert (await held.phone.get(f"/r/{code.lower()}")).headers["location"] == held.path
    empty = await held.phone.post("/r", data={"code": "  "})
    assert (empty.status_code, "请填写回执编号。" in empty.text) == (422, True)


@pytest.mark.parametrize("guess", ["AAAAAA-BBBBBB-CCCCCC-DDDDDD", "X", "%E4%B8%80" * 20, "%3Cb%3E"])
async def test_a_wrong_code_says_what_to_check(phone: httpx.AsyncClient, guess: str):
    answer = await phone.get(f"/r/{guess}", follow_redirects=True)
    assert answer.status_code == 404
    assert "请逐位核对编号" in answer.text
    assert "<b>" not in answer.text


async def test_who_guesses_is_stopped(phone: httpx.AsyncClient, desk: Desk):
    edge = desk.intake.state.edge
    desk.intake.state.edge = replace(edge, brute_force_guard=BruteForceGuard(6))
    statuses = [
        (await phone.get(f"/r/AAAAAA-BBBBBB-CCCCCC-DDDDD{number}")).status_code
        for number in range(3)
    ]
    assert statuses == [404, 429, 429]
    answer = await phone.get("/r/AAAAAA-BBBBBB-CCCCCC-DDDDDD")
    assert "查错太多次" in answer.text
    assert int(answer.headers["retry-after"]) > 0


async def test_a_receipt_leaks_nowhere(
    held: Held, desk: Desk, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
):
    code = held.path.removeprefix("/r/")
    answers: list[Any] = [
        await held.phone.get(held.path),
        await held.send("messages", message="一"),
    ]
    for answer in answers:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-robots-tag"] == "noindex, nofollow"
        assert "frame-ancestors 'none'" in answer.headers.get("content-security-policy", "")
    assert '<meta name="robots" content="noindex, nofollow">' in answers[0].text
    figures = (await held.phone.get("/metrics")).text
    assert 'route="/r/{receipt}"' in figures
    written = caplog.text + "".join(capsys.readouterr())
    assert code not in figures + written


async def test_the_qr_code_is_drawn_of_attributes_alone(held: Held, desk: Desk):
    page = (await held.phone.get(held.path)).text
    assert f"{desk.address}{held.path}</a>" in page
    svg = page[page.index("<svg") : page.index("</svg>")]
    assert "style" not in svg
    assert 'viewBox="0 0' in svg
