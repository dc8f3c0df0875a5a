"""Sign-in by password: who comes in, who does not and why not said, where it goes, and what a cookie is worth."""

import re

import httpx
import pytest
import structlog

from services.desk.handlers import accounts
from services.desk.handlers.accounts import NewAccount
from shared.contracts.vocabulary import Role
from tests.integration.desk.conftest import LOGIN, ORIGIN, PASSWORD, Desk, desk_on, sign_in

COOKIE = "__Host-liaison_session"


def alert_of(answer: httpx.Response) -> str:
    [found] = re.findall(r'role="alert"[^>]*>([^<]+)<', answer.text)
    return found


async def test_the_right_password_opens_a_session_and_goes_where_the_visitor_wanted(desk: Desk):
    await desk.add_account()
    browser = await desk.browser()
    assert (await browser.get("/me")).headers["location"] == "/sign-in?next=%2Fme"
    form = await browser.get("/sign-in?next=/me")
    assert form.status_code == 200
    assert 'name="next" value="/me"' in form.text
    assert 'href="?next=%2Fme&amp;lang=en"' in form.text
    answer = await sign_in(browser, next="/me")
    assert (answer.status_code, answer.headers["location"]) == (303, "/me")
    set_cookie = answer.headers["set-cookie"]
    assert set_cookie.startswith(f"{COOKIE}=")
    for part in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=43200"):
        assert part in set_cookie
    page = await browser.get("/me")
    assert page.status_code == 200
    for words in ("祝予安", "店小二", "L002", LOGIN, "192.0.2.1", "Linux 电脑上的 Firefox"):
        assert words in page.text
    for each in (form, answer, page):
        assert each.headers["cache-control"] == "no-store"


async def test_logins_are_one_in_every_case_and_width(desk: Desk):
    await desk.add_account("Zhu.Yuan")
    assert (await sign_in(await desk.browser(), "ｚｈｕ.YUAN ")).status_code == 303
    async with desk.db.transaction() as conn:
        wanted = NewAccount("ZHU.yuan", "x", Role.LIAISON, "L003")
        assert not await accounts.add(conn, wanted, "x", desk.clock())


async def test_whatever_is_wrong_is_refused_in_the_same_words(desk: Desk):
    await desk.add_account()
    await desk.add_account("gone")
    async with desk.db.transaction() as conn:
        await accounts.disable(conn, "gone", desk.clock())
    answers = [
        await sign_in(await desk.browser("192.0.2.2"), login, password)
        for login, password in (
            (LOGIN, "a wrong password"),
            ("nobody", PASSWORD),
            ("gone", PASSWORD),
            ("", ""),
            ("x" * 5_000, "y" * 5_000),
        )
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({alert_of(answer) for answer in answers}) == 1
    assert not any("set-cookie" in answer.headers for answer in answers)


async def test_after_five_wrong_ones_the_right_one_waits_too(desk: Desk):
    await desk.add_account()
    browser = await desk.browser()
    refused = [await sign_in(browser, password="a wrong password") for _ in range(5)]
    rests = await sign_in(browser)
    assert {answer.status_code for answer in (*refused, rests)} == {401}
    assert {alert_of(answer) for answer in (*refused, rests)} == {alert_of(rests)}
    desk.clock.pass_time(seconds=59)
    assert (await sign_in(browser)).status_code == 401
    desk.clock.pass_time(seconds=1)
    assert (await sign_in(browser)).status_code == 303
    # Once somebody is in, the count begins anew.
    assert (await sign_in(browser, password="a wrong password")).status_code == 401
    assert (await sign_in(browser)).status_code == 303


async def test_an_address_with_too_many_wrong_ones_is_refused_whoever_it_names(
    database_url: str, tmp_path
):
    async with desk_on(database_url, tmp_path / "data", wrong_sign_ins_per_minute=18) as desk:
        await desk.add_account()
        browser = await desk.browser()
        for number in range(3):
            assert (await sign_in(browser, f"nobody{number}")).status_code == 401
        answer = await sign_in(browser)
        assert answer.status_code == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 4
        assert "请求过于频繁" in answer.text
        assert (await sign_in(await desk.browser("192.0.2.9"))).status_code == 303


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:x", "/\t/x"]
)
async def test_no_target_of_another_host_is_gone_to(desk: Desk, wanted: str):
    await desk.add_account()
    browser = await desk.browser()
    form = await browser.get("/sign-in", params={"next": wanted})
    assert "evil" not in form.text
    assert (await sign_in(browser, next=wanted)).headers["location"] == "/desk"


async def test_each_sign_in_has_a_new_cookie_and_ends_the_session_before_it(desk: Desk):
    await desk.add_account()
    browser, other = await desk.browser(), await desk.browser()
    planted = "x" * 43
    browser.cookies.set(COOKIE, planted, domain="desk.example")
    await sign_in(browser)
    first = browser.cookies[COOKIE]
    assert first != planted
    other.cookies.set(COOKIE, first, domain="desk.example")
    assert (await other.get("/me")).status_code == 200
    await sign_in(browser)
    assert browser.cookies[COOKIE] != first
    assert (await other.get("/me")).status_code == 303


async def test_signing_out_ends_the_session_and_not_the_cookie_alone(desk: Desk):
    await desk.add_account()
    browser = await desk.signed_in()
    cookie = browser.cookies[COOKIE]
    answer = await browser.post("/sign-out")
    assert answer.headers["clear-site-data"] == '"storage"'
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?left=1")
    assert COOKIE not in browser.cookies
    assert "您已退出登录" in (await browser.get("/sign-in?left=1")).text
    browser.cookies.set(COOKIE, cookie, domain="desk.example")
    assert (await browser.get("/me")).status_code == 303


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "", "origin": ORIGIN}, 403),
        ({"sec-fetch-site": "same-origin", "origin": "https://evil.example"}, 401),
    ],
)
async def test_forms_of_other_sites_are_refused_in_words(
    desk: Desk, headers: dict[str, str], status: int
):
    browser = await desk.browser(**headers)
    for path in ("/sign-in", "/sign-in/token", "/sign-in/code"):
        answer = await browser.post(path, data={})
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
    if status == 403:
        for path in ("/sign-out", "/me/password", "/me/second-factor", "/me/sessions-end-others"):
            answer = await browser.post(path)
            assert answer.status_code == 403
            assert "表单来自其他网站" in answer.text


@pytest.mark.parametrize("body", [b"\xff\xfe", b"login=" + b"x" * 400_000, b"login=%00&password=x"])
async def test_what_is_no_form_is_refused_in_words(desk: Desk, body: bytes):
    answer = await (await desk.browser()).post("/sign-in", content=body)
    assert answer.status_code in (400, 413, 422)
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_session_ends_by_itself_with_its_account_and_when_it_is_not_used(desk: Desk):
    await desk.add_account()
    idle, used, disabled = [await desk.signed_in() for _ in range(3)]
    async with desk.db.transaction() as conn:
        await accounts.disable(conn, LOGIN, desk.clock())
    assert (await disabled.get("/me")).status_code == 303
    async with desk.db.transaction() as conn:
        await accounts.enable(conn, LOGIN, desk.clock())
    assert (await used.get("/me")).status_code == 303
    idle, used = [await desk.signed_in() for _ in range(2)]
    for _ in range(12):
        desk.clock.pass_time(minutes=59)
        assert (await used.get("/me")).status_code == 200
    assert (await idle.get("/me")).status_code == 303
    desk.clock.pass_time(minutes=30)
    assert (await used.get("/me")).status_code == 303


async def test_a_token_opens_a_session_that_ends_when_it_is_revoked(desk: Desk):
    desk.write_tokens(("staff-token", "coordinator", "C001"), ("system-token", "system", "urn:x"))
    browser = await desk.browser()
    for wrong in ("system-token", "nothing", "x" * 600, ""):
        answer = await browser.post("/sign-in/token", data={"token": wrong})
        assert answer.status_code == 401
        assert "不是有效的工作人员令牌" in alert_of(answer)
    entered = await browser.post("/sign-in/token", data={"token": " staff-token ", "next": "/me"})
    assert entered.headers["location"] == "/me"
    page = (await browser.get("/me")).text
    assert "C001" in page
    assert "/me/password" not in page
    refused = await browser.post("/me/password", data={})
    assert refused.status_code == 404
    desk.write_tokens(("other", "coordinator", "C001"))
    assert (await browser.get("/me")).status_code == 303


async def test_no_log_line_has_a_secret_or_a_login(desk: Desk):
    await desk.add_account()
    with structlog.testing.capture_logs() as logs:
        browser = await desk.browser()
        await sign_in(browser, password="a wrong password")
        await sign_in(browser)
        await browser.post("/sign-in/token", data={"token": "no-such-token"})
    assert [(log["method"], log["result"]) for log in logs if log["event"] == "desk.sign_in"] == [
        ("password", "wrong"),
        ("password", "done"),
        ("token", "wrong"),
    ]
    for secret in (LOGIN, "祝予安", PASSWORD, "a wrong password", "no-such-token", "192.0.2.1"):
        assert secret not in str(logs)
