"""One's own page: password, devices and sessions, and whose sessions they are."""

import re

import pytest

from tests.integration.desk.conftest import LOGIN, PASSWORD, Desk, sign_in

NEW = "four other unrelated words"
CHANGE = {"old": PASSWORD, "new": NEW, "again": NEW}


async def test_a_new_password_counts_at_once_and_signs_the_other_devices_out(desk: Desk):
    await desk.add_account()
    browser, other = await desk.signed_in(), await desk.signed_in()
    answer = await browser.post("/me/password", data=CHANGE)
    assert answer.headers["location"] == "/me?done=password#password"
    assert "密码已修改" in (await browser.get("/me?done=password")).text
    assert (await other.get("/me")).status_code == 303
    assert (await sign_in(other)).status_code == 401
    assert (await sign_in(other, password=NEW)).status_code == 303


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"old": "a wrong password"}, 403, "当前密码不正确"),
        ({"again": "something else"}, 422, "不一致"),
        ({"new": "short", "again": "short"}, 422, "至少 12"),
        ({"new": "x" * 129, "again": "x" * 129}, 422, "最多 128"),
        ({"new": "", "again": ""}, 422, "至少 12"),
    ],
)
async def test_a_change_that_cannot_be_says_why(
    desk: Desk, change: dict[str, str], status: int, words: str
):
    await desk.add_account()
    browser = await desk.signed_in()
    answer = await browser.post("/me/password", data=CHANGE | change)
    assert answer.status_code == status
    assert words in answer.text
    assert PASSWORD not in answer.text
    assert (await sign_in(await desk.browser())).status_code == 303


async def test_the_login_is_no_password(desk: Desk):
    await desk.add_account("zhu.yuan.2026")
    browser = await desk.browser()
    await sign_in(browser, "zhu.yuan.2026")
    same = {"old": PASSWORD, "new": "ZHU.yuan.2026", "again": "ZHU.yuan.2026"}
    answer = await browser.post("/me/password", data=same)
    assert answer.status_code == 422
    assert "不能与账号相同" in answer.text


async def test_guesses_at_the_current_password_count_like_those_at_sign_in(desk: Desk):
    await desk.add_account()
    browser = await desk.signed_in()
    for _ in range(5):
        await browser.post("/me/password", data=CHANGE | {"old": "a wrong password"})
    assert (await browser.post("/me/password", data=CHANGE)).status_code == 403
    assert (await sign_in(await desk.browser())).status_code == 401


async def test_a_device_is_listed_with_what_a_person_knows_it_by_and_ended_alone(desk: Desk):
    await desk.add_account()
    browser = await desk.signed_in()
    desk.clock.pass_time(minutes=7)
    phone = "Mozilla/5.0 (Linux; Android 15) Chrome/130.0 Mobile Safari/537.36 wxwork/4.1"
    other = await desk.signed_in(address="2001:db8::7", **{"user-agent": phone})
    third = await desk.signed_in()
    page = (await browser.get("/me")).text
    for words in ("安卓设备上的企业微信", "2001:db8::7", "2026年3月2日 12:07", "本机"):
        assert words in page
    assert page.count("本机") == 1
    sessions = re.findall(r'name="session" value="([^"]+)"', page)
    assert len(sessions) == 2
    row = next(part for part in page.split("<li>") if "2001:db8::7" in part)
    [wanted] = re.findall(r'name="session" value="([^"]+)"', row)
    answer = await browser.post("/me/sessions-end", data={"session": wanted})
    assert answer.headers["location"] == "/me?done=ended#sessions"
    assert [(await each.get("/me")).status_code for each in (browser, other, third)] == [
        200,
        303,
        200,
    ]
    await browser.post("/me/sessions-end-others")
    assert [(await each.get("/me")).status_code for each in (browser, third)] == [200, 303]


async def test_nobody_sees_or_ends_the_sessions_of_others(desk: Desk):
    """Another account of the same party, and another token of it, are others."""
    desk.write_tokens(("one", "liaison", "L002"), ("two", "liaison", "L002"))
    await desk.add_account()
    await desk.add_account("second")
    mine = await desk.signed_in()
    browsers = [await desk.browser() for _ in range(4)]
    await sign_in(browsers[0], "second")
    for browser, token in zip(browsers[1:], ("one", "one", "two"), strict=True):
        await browser.post("/sign-in/token", data={"token": token})
    seen = [len(re.findall(r"<time", (await each.get("/me")).text)) // 2 for each in browsers]
    assert seen == [1, 2, 2, 1]
    async with desk.db.reading() as conn:
        ids = [str(row["id"]) for row in await conn.fetch("select id from session")]
    assert len(ids) == 5
    for session in ids:
        await browsers[3].post("/me/sessions-end", data={"session": session})
    await browsers[1].post("/me/sessions-end-others")
    statuses = [(await each.get("/me")).status_code for each in (mine, *browsers)]
    assert statuses == [200, 200, 200, 303, 303]


async def test_without_a_session_nothing_is_done_and_the_visitor_signs_in(desk: Desk):
    await desk.add_account()
    browser = await desk.browser()
    for path in (
        "/me/password",
        "/me/second-factor",
        "/me/sessions-end",
        "/me/sessions-end-others",
    ):
        answer = await browser.post(path, data=CHANGE)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")
    signed_in = await desk.signed_in()
    answer = await signed_in.post("/me/sessions-end", data={"session": "none"})
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/me", "/sign-in"])
async def test_each_page_has_both_languages_and_remembers_the_choice(desk: Desk, path: str):
    await desk.add_account()
    browser = await desk.signed_in()
    assert 'lang="zh-CN"' in (await browser.get(path)).text
    english = await browser.get(f"{path}?lang=en")
    assert '<html lang="en">' in english.text
    assert '<html lang="en">' in (await browser.get(path)).text
    # A language chosen on the page that a form answered.
    assert (await browser.get("/me/password?lang=zh")).headers["location"] == "/me?lang=zh"


async def test_a_name_is_inert_on_the_page(desk: Desk):
    await desk.add_account()
    async with desk.db.transaction() as conn:
        await conn.execute("update account set name = $1, login = $1", "<img src=x>\u202e' \"")
    browser = await desk.browser()
    await sign_in(browser, LOGIN)
    for path in ("/me", "/sign-in"):
        page = (await browser.get(path)).text
        assert "<img src=x>" not in page
        assert "&lt;img src=x&gt;" in page
        assert "<bdi>" in page
