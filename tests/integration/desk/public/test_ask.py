"""The form of a request, sent to a real intake: once, twice, changed, too often, wrong, and while intake is away."""

import asyncio
import json

import asyncpg
import httpx

from shared.auth.rate_limiter import RateLimiter
from shared.contracts.fields import uscc
from tests.integration.desk.public.forms import Shown, typed
from tests.integration.desk.public.running import Away, Desk

BODY = "91310117MA1000777"
CHECK = uscc.check_character(BODY)


async def opened(phone: httpx.AsyncClient) -> dict[str, str]:
    """The form's hidden fields."""
    answer = await phone.get("/ask")
    assert answer.status_code == 200
    return Shown(answer.text).forms["/ask"].values


async def send(phone: httpx.AsyncClient, **changes: str) -> httpx.Response:
    return await phone.post("/ask", data={**await opened(phone), **typed(**changes)})


async def requests_of(conn: asyncpg.Connection) -> list[asyncpg.Record]:
    return await conn.fetch("select * from request order by id")


async def test_a_request_is_registered_and_its_receipt_opened(
    phone: httpx.AsyncClient, conn: asyncpg.Connection
):
    taken = await send(phone, code=" 91310117 ma1000777 ", detail="一\r\n二", danger="yes")
    assert taken.status_code == 422, "the check character is missing"
    shown = Shown(taken.text)
    assert shown.forms["/ask"].values["code"] == " 91310117 ma1000777 "
    assert "#code" in shown.links
    good = {**shown.forms["/ask"].values, "code": "９１３１０１１７ma1000777" + CHECK}
    taken = await phone.post("/ask", data=good)
    assert taken.status_code == 303, taken.text
    path, _, query = taken.headers["location"].partition("?")
    assert query == "done=submitted"
    page = await phone.get(taken.headers["location"])
    assert page.status_code == 200
    assert "已经收到" in page.text
    (row,) = await requests_of(conn)
    submitted = json.loads(await conn.fetchval("select data from event"))
    assert row["receipt"] == path.removeprefix("/r/")
    assert (submitted["urgency"], submitted["detail"]) == ("emergency", "一\n二")
    assert submitted["requester"]["id"] == BODY + CHECK
    assert submitted["actor"] == {"role": "system", "party": "urn:liaison:desk"}


async def test_a_form_that_is_sent_twice_is_one_request(
    phone: httpx.AsyncClient, conn: asyncpg.Connection
):
    form = {**await opened(phone), **typed(who="resident", code="", name="")}
    answers = [await phone.post("/ask", data=form) for _ in range(2)]
    assert {each.status_code for each in answers} == {303}
    assert len({each.headers["location"] for each in answers}) == 1
    assert len(await requests_of(conn)) == 1


async def test_both_taps_at_once_are_one_request(
    phone: httpx.AsyncClient, conn: asyncpg.Connection
):
    form = {**await opened(phone), **typed()}
    answers = await asyncio.gather(*[phone.post("/ask", data=form) for _ in range(5)])
    assert len({each.headers["location"] for each in answers}) == 1
    assert len(await requests_of(conn)) == 1


async def test_what_is_changed_after_it_was_sent_is_shown_beside_the_receipt(
    phone: httpx.AsyncClient, conn: asyncpg.Connection
):
    form = {**await opened(phone), **typed()}
    await phone.post("/ask", data=form)
    changed = await phone.post("/ask", data={**form, "detail": "水更深了"})
    assert changed.status_code == 409
    shown = Shown(changed.text)
    assert "这张表之前已经提交过" in shown.text
    (receipt,) = [link for link in shown.links if link.startswith("/r/")]
    assert "园区北门道路积水" in (await phone.get(receipt)).text
    again = shown.forms["/ask"].values
    assert (again["detail"], again["key"] != form["key"]) == ("水更深了", True)
    assert (await phone.post("/ask", data=again)).status_code == 303
    assert len(await requests_of(conn)) == 2
    other = await phone.post("/ask", data={**form, "code": typed()["code"]})
    assert other.status_code == 409
    assert not [link for link in Shown(other.text).links if link.startswith("/r/")]


async def test_what_staff_see_of_a_request_does_not_give_its_receipt(
    phone: httpx.AsyncClient, conn: asyncpg.Connection
):
    form = {**await opened(phone), **typed()}
    first = await phone.post("/ask", data=form)
    (row,) = await requests_of(conn)
    assert row["source_ref"] != form["key"]
    guessed = await phone.post("/ask", data={**form, "key": row["source_ref"]})
    assert guessed.headers["location"] != first.headers["location"]


async def test_while_intake_is_away_nothing_typed_is_lost(
    phone: httpx.AsyncClient, away: Away, conn: asyncpg.Connection
):
    form = {**await opened(phone), **typed(detail="<b>一</b>\n\n二", danger="yes")}
    away.down = True
    refused = await phone.post("/ask", data=form)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
    shown = Shown(refused.text)
    assert "系统暂时没有应答" in shown.text
    assert shown.forms["/ask"].values == form
    away.down = False
    assert (await phone.post("/ask", data=shown.forms["/ask"].values)).status_code == 303
    assert len(await requests_of(conn)) == 1


async def test_an_empty_form_names_every_field_in_words(phone: httpx.AsyncClient):
    refused = await phone.post("/ask?lang=en", data={})
    assert refused.status_code == 422
    shown = Shown(refused.text)
    fields = [link for link in shown.links if link.startswith("#")]
    assert fields == [
        "#main",
        "#who",
        "#name",
        "#contact_name",
        "#phone",
        "#kind",
        "#summary",
        "#detail",
    ]
    assert all(link.removeprefix("#") in shown.ids for link in fields)
    assert "Enter a phone number" in shown.text
    assert "pointer" not in shown.text


async def test_one_address_may_not_send_all_the_time(phone: httpx.AsyncClient, desk: Desk):
    desk.app.state.form_limiter = RateLimiter(6)
    form = {**await opened(phone), **typed()}
    assert (await phone.post("/ask", data=form)).status_code == 303
    refused = await phone.post("/ask", data=form)
    assert refused.status_code == 429
    shown = Shown(refused.text)
    assert "提交得太频繁了" in shown.text
    assert shown.forms["/ask"].values == form


async def test_what_is_no_form_of_ours_is_refused_in_words(phone: httpx.AsyncClient):
    form = {**await opened(phone), **typed()}
    answers = {
        "elsewhere": await phone.post("/ask", data=form, headers={"sec-fetch-site": "cross-site"}),
        "json": await phone.post("/ask", json=form),
        "files": await phone.post("/ask", files={"detail": b"x"}),
        "long": await phone.post("/ask", data={**form, "detail": "水" * 20_000}),
        "many": await phone.post("/ask", data={f"f{number}": "" for number in range(100)}),
        "step": await phone.post("/r/ABC/close", data={}),
    }
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert statuses == {
        "elsewhere": 403, "json": 415, "files": 415, "long": 413, "many": 400, "step": 404,
    }  # fmt: skip
    for answer in answers.values():
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["cache-control"] == "no-store"
    # By plain HTTP a browser sends no Sec-Fetch-Site, and `null` as the origin of a page without a referrer.
    del phone.headers["sec-fetch-site"]
    assert (await phone.post("/ask", data=form, headers={"origin": "null"})).status_code == 303


async def test_the_longest_text_of_the_contract_is_taken(phone: httpx.AsyncClient):
    assert (await send(phone, detail="\U0001f69a" * 10_000)).status_code == 303
    assert (await send(phone, detail="水\r\n" * 5_000)).status_code == 303


async def test_when_intake_has_had_too_much_of_the_desk_the_form_says_when_to_send_it_again(
    phone: httpx.AsyncClient, desk: Desk, conn: asyncpg.Connection
):
    desk.intake.state.rate_limiter = RateLimiter(6)
    assert (await send(phone)).status_code == 303
    refused = await send(phone)
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert len(await requests_of(conn)) == 1
