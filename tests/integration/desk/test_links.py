"""Links that sign in once, on the machine that they were made on."""

import re
from datetime import timedelta

import httpx
import pytest

from services.desk.domain.sessions import SignInLink
from services.desk.handlers import accounts
from shared.contracts.vocabulary import Role
from tests.integration.desk.conftest import Desk

HERE = {"address": "127.0.0.1", "origin": "http://127.0.0.1:8000"}


async def make_link(desk: Desk, code: str = "a-code") -> str:
    link = SignInLink(Role.LIAISON, "L001", "简听澜", desk.clock() + timedelta(hours=24))
    async with desk.db.transaction() as conn:
        await accounts.add_link(conn, code, link)
    return f"/sign-in/link/{code}"


def session_of(browser: httpx.AsyncClient) -> str | None:
    return browser.cookies.get("liaison_session")


async def test_a_link_signs_in_once_and_says_so_afterwards(desk: Desk):
    path = await make_link(desk)
    browser = await desk.browser(**HERE)
    answer = await browser.get(path, headers={"sec-fetch-site": "none"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/desk")
    assert "Secure" not in answer.headers["set-cookie"]
    page = (await browser.get("/me")).text
    for words in ("简听澜", "L001", "一次性链接"):
        assert words in page
    other = await desk.browser(**HERE)
    used = await other.get(path)
    assert used.status_code == 401
    assert "已经用过" in used.text
    assert 'href="/sign-in"' in used.text
    assert session_of(other) is None


async def test_a_link_lasts_24_hours_and_a_wrong_one_is_told_from_none(desk: Desk):
    path = await make_link(desk)
    desk.clock.pass_time(hours=24)
    browser = await desk.browser(**HERE)
    answers = [await browser.get(each) for each in (path, "/sign-in/link/another")]
    assert [answer.status_code for answer in answers] == [401, 401]
    words = [re.findall(r"<p>([^<]+)</p>", answer.text)[0] for answer in answers]
    assert words[0] == words[1]
    assert "24 小时" in words[0]


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"address": "192.0.2.1", "origin": "http://127.0.0.1:8000"},
        {"address": "::ffff:192.0.2.1", "origin": "http://127.0.0.1:8000"},
        {"address": "127.0.0.1", "origin": "http://evil.example:8000"},
        {"address": "testclient", "origin": "http://localhost"},
        {"address": "127.0.0.1", "origin": "http://localhost", "x-forwarded-for": "192.0.2.1"},
    ],
)
async def test_elsewhere_a_link_opens_nothing_and_stays_good(desk: Desk, elsewhere: dict[str, str]):
    path = await make_link(desk)
    answer = await (await desk.browser(**elsewhere)).get(path)
    assert answer.status_code == 403
    assert "只能在运行系统的那台机器上打开" in answer.text
    for address, origin in (("127.0.0.1", "http://localhost:8000"), ("::1", "http://[::1]:8000")):
        browser = await desk.browser(address=address, origin=origin)
        assert (await browser.get(path)).status_code in (303, 401)


async def test_a_session_by_a_link_stands_alone(desk: Desk):
    browsers = []
    for code in ("one", "two"):
        browser = await desk.browser(**HERE)
        await browser.get(await make_link(desk, code))
        browsers.append(browser)
    assert (await browsers[0].get("/me")).text.count("<li>") == 1
    await browsers[0].post("/me/sessions-end-others")
    assert [(await each.get("/me")).status_code for each in browsers] == [200, 200]
