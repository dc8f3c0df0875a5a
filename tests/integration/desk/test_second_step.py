"""The second factor: set up, asked for at sign-in, each code once, off again; and what guesses at it cost."""

import re
from datetime import timedelta

import httpx
import pyotp

from tests.integration.desk.conftest import LOGIN, PASSWORD, Desk, sign_in

STEP = timedelta(seconds=30)


async def set_up(desk: Desk, browser: httpx.AsyncClient) -> pyotp.TOTP:
    """Turn the second factor on as a person does, by typing the key."""
    begun = await browser.post("/me/second-factor", data={"password": PASSWORD})
    assert begun.headers["location"] == "/me#factor"
    page = (await browser.get("/me")).text
    assert "<svg" in page
    assert "style=" not in page
    [secret] = re.findall(r"<code[^>]*>([A-Z2-7 ]+)</code>", page)
    totp = pyotp.TOTP(secret.replace(" ", ""))
    wrong = await browser.post("/me/second-factor-code", data={"code": "12345"})
    assert wrong.status_code == 422
    answer = await browser.post("/me/second-factor-code", data={"code": totp.at(desk.clock())})
    assert answer.headers["location"] == "/me?done=factor_on#factor"
    desk.clock.now += STEP
    return totp


async def test_with_a_second_factor_the_password_alone_opens_nothing(desk: Desk):
    await desk.add_account()
    totp = await set_up(desk, await desk.signed_in())
    browser = await desk.browser()
    answer = await sign_in(browser, next="/me")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in/code?next=%2Fme")
    assert "__Host-liaison_session" not in browser.cookies
    assert (await browser.get("/me")).status_code == 303
    step = await browser.get(answer.headers["location"])
    assert step.status_code == 200
    assert 'autocomplete="one-time-code"' in step.text
    code = totp.at(desk.clock())
    wrong = await browser.post("/sign-in/code", data={"code": "000000", "next": "/me"})
    assert wrong.status_code == 401
    right = await browser.post("/sign-in/code", data={"code": code, "next": "/me"})
    assert (right.status_code, right.headers["location"]) == (303, "/me")
    assert (await browser.get("/me")).status_code == 200
    # The same code opens nothing again, for nobody.
    other = await desk.browser()
    await sign_in(other)
    assert (await other.post("/sign-in/code", data={"code": code})).status_code == 401


async def test_the_second_step_has_five_minutes_and_is_good_for_one_session(desk: Desk):
    await desk.add_account()
    totp = await set_up(desk, await desk.signed_in())
    browser = await desk.browser()
    assert (await browser.get("/sign-in/code")).status_code == 401
    await sign_in(browser)
    desk.clock.pass_time(minutes=5)
    late = await browser.post("/sign-in/code", data={"code": totp.at(desk.clock())})
    assert late.status_code == 401
    assert "已超过 5 分钟" in late.text
    await sign_in(browser)
    pending = browser.cookies["liaison_pending"]
    assert (
        await browser.post("/sign-in/code", data={"code": totp.at(desk.clock())})
    ).status_code == 303
    desk.clock.now += STEP
    other = await desk.browser()
    other.cookies.set("liaison_pending", pending, domain="desk.example")
    again = await other.post("/sign-in/code", data={"code": totp.at(desk.clock())})
    assert again.status_code == 401


async def test_guesses_at_the_code_rest_the_account_however_often_the_password_is_right(desk: Desk):
    await desk.add_account()
    totp = await set_up(desk, await desk.signed_in())
    browser = await desk.browser()
    for _ in range(5):
        assert (await sign_in(browser)).status_code == 303
        assert (await browser.post("/sign-in/code", data={"code": "000000"})).status_code == 401
    assert (await sign_in(browser)).status_code == 401
    code = totp.at(desk.clock())
    assert (await browser.post("/sign-in/code", data={"code": code})).status_code == 401
    desk.clock.pass_time(minutes=1)
    assert (await sign_in(browser)).status_code == 303
    code = totp.at(desk.clock())
    assert (await browser.post("/sign-in/code", data={"code": code})).status_code == 303


async def test_a_second_factor_needs_the_password_to_begin_and_to_end(desk: Desk):
    await desk.add_account()
    browser, other = await desk.signed_in(), await desk.signed_in()
    wrong = {"password": "a wrong password"}
    assert (await browser.post("/me/second-factor", data=wrong)).status_code == 403
    assert "<svg class" not in (await browser.get("/me")).text
    await set_up(desk, browser)
    assert (await other.get("/me")).status_code == 303
    refused = await browser.post("/me/second-factor-off", data=wrong)
    assert refused.status_code == 403
    assert "当前密码不正确" in refused.text
    answer = await browser.post("/me/second-factor-off", data={"password": PASSWORD})
    assert answer.headers["location"] == "/me?done=factor_off#factor"
    answer = await sign_in(await desk.browser(), LOGIN)
    assert answer.headers["location"] == "/desk"


async def test_a_set_up_that_was_cancelled_turns_nothing_on(desk: Desk):
    await desk.add_account()
    browser = await desk.signed_in()
    await browser.post("/me/second-factor", data={"password": PASSWORD})
    await browser.post("/me/second-factor-cancel")
    answer = await browser.post("/me/second-factor-code", data={"code": "123456"})
    assert answer.status_code == 422
    assert "重新开始" in answer.text
