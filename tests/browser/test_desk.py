"""The staff's pages in browsers: a matter from its offer to its end by several people at once, and what goes wrong."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.conftest import Account, OpenPage
from tests.flow.town import Town

SignIn = Callable[..., Awaitable[Page]]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True}


@pytest.fixture
def sign_in(visit: OpenPage) -> SignIn:
    """`await sign_in("L001", "/desk")`: a fresh browser of somebody whose token is their name."""

    async def enter(who: str, path: str = "/desk", **options: Any) -> Page:
        page = await visit("/sign-in", **options)
        await page.locator("details summary").click()
        await page.fill("#token", who)
        await page.locator("form[action='/sign-in/token'] button").click()
        await page.wait_for_url("**/desk*")
        if path != "/desk":
            await page.goto(page.url.split("/desk")[0] + path)
        return page

    return enter


async def offered(town: Town, summary: str) -> str:
    """The id of a new matter that L001 is offered."""
    answer = await town.post(town.submission(summary=summary))
    matter: str = answer.json()["request_id"]
    for _ in range(100):
        found = await town.call("L001", "GET", f"/followup/matters/{matter}")
        if found.status_code == 200 and found.json()["state"] == "offered":
            return matter
        await asyncio.sleep(0.1)
    raise AssertionError(f"{matter} was not offered")


def in_a_month() -> str:
    return (datetime.now(UTC) + timedelta(days=30)).isoformat()


def row(page: Page, summary: str):
    return page.locator(".promise", has_text=summary)


async def test_an_offer_is_accepted_from_its_row_and_others_see_it(town: Town, sign_in: SignIn):
    liaison = await sign_in("L001", **PHONE)
    coordinator = await sign_in("C001", "/desk?view=all")
    await town.post(town.submission(summary="东门路灯不亮"))
    # What is new is announced, and moves nothing; the reader asks for it.
    await liaison.locator("#fresh a").click()
    await expect(row(liaison, "东门路灯不亮")).to_contain_text("待签收")
    await coordinator.locator("#fresh a").click()
    await expect(row(coordinator, "东门路灯不亮")).to_contain_text("待签收")
    await row(liaison, "东门路灯不亮").get_by_role("button", name="签收").click()
    await expect(row(liaison, "东门路灯不亮")).to_contain_text("办理中")
    await expect(row(coordinator, "东门路灯不亮")).to_contain_text("办理中")
    await expect(liaison.locator("#flash")).to_contain_text("已签收")
    assert "/desk" in liaison.url


async def test_an_offer_is_declined_with_a_reason(town: Town, sign_in: SignIn):
    liaison = await sign_in("L001")
    matter = await offered(town, "南门指示牌歪了")
    await liaison.goto(liaison.url.split("/desk")[0] + f"/desk/matters/{matter}")
    await liaison.get_by_text("退单", exact=True).click()
    await liaison.select_option("select[name=reason_code]", "not_my_enterprise")
    await liaison.get_by_role("button", name="确认退单").click()
    await expect(liaison.locator("#flash")).to_contain_text("已退单")
    await expect(liaison.locator("#facts")).to_contain_text("陆二")


async def taken(town: Town, summary: str) -> str:
    """The id of a new matter that L001 has accepted."""
    matter = await offered(town, summary)
    offers = await town.get("L001", "/routing/queues/me")
    (offer,) = [each for each in offers["items"] if each["matter_id"] == matter]
    await town.do("L001", "POST", f"/routing/offers/{offer['offer_id']}/accept")
    await town.do("L001", "POST", f"/followup/matters/{matter}/first-contact", {})
    return matter


async def test_a_step_is_taken_and_seen_by_whoever_reads_the_matter(town: Town, sign_in: SignIn):
    matter = await taken(town, "排水沟堵了")
    reader = await sign_in("C001", f"/desk/matters/{matter}")
    liaison = await sign_in("L001", f"/desk/matters/{matter}", **PHONE)
    await liaison.get_by_role("link", name="反馈进展").click()
    await liaison.fill("textarea[name=text]", "已联系管养单位，明早清掏。")
    await liaison.get_by_role("button", name=re.compile("确认")).click()
    await expect(liaison.locator(".done")).to_contain_text("反馈进展")
    await expect(reader.locator("#story")).to_contain_text("已联系管养单位，明早清掏。")


async def test_of_two_in_one_matter_the_later_keeps_its_text_and_sees_what_changed(
    town: Town, sign_in: SignIn, account: Account
):
    account.expected.append("412")
    matter = await taken(town, "围墙有裂缝")
    liaison = await sign_in("L001", f"/desk/matters/{matter}?step=feedback")
    await liaison.fill("textarea[name=text]", "正在请人鉴定。")
    await town.do(
        "C001", "POST", f"/followup/matters/{matter}/feedback", {"text": "住建已派人看过。"}
    )
    await liaison.get_by_role("button", name=re.compile("确认")).click()
    await expect(liaison.locator(".trouble")).to_contain_text("住建已派人看过。")
    assert await liaison.input_value("textarea[name=text]") == "正在请人鉴定。"
    await liaison.get_by_role("button", name=re.compile("确认")).click()
    await expect(liaison.locator("#story")).to_contain_text("正在请人鉴定。")


async def test_a_field_that_is_wrong_is_named_and_nothing_typed_is_lost(
    town: Town, sign_in: SignIn, account: Account
):
    account.expected.append("422")
    matter = await taken(town, "电梯停运")
    liaison = await sign_in("L001", f"/desk/matters/{matter}?step=hold")
    await liaison.fill("textarea[name=reason]", "等企业提供图纸")
    await liaison.fill("input[name=resume_at]", "2020-01-01T09:00")
    await liaison.get_by_role("button", name=re.compile("确认")).click()
    await expect(liaison.locator(".step .trouble")).to_be_visible()
    assert await liaison.input_value("textarea[name=reason]") == "等企业提供图纸"
    assert await liaison.input_value("input[name=resume_at]") == "2020-01-01T09:00"


async def test_a_draft_survives_a_closed_page_and_goes_with_its_step(town: Town, sign_in: SignIn):
    matter = await taken(town, "绿化带缺苗")
    liaison = await sign_in("L001", f"/desk/matters/{matter}?step=feedback")
    await liaison.fill("textarea[name=text]", "已报补种计划")
    await liaison.goto(liaison.url.split("?")[0])
    await liaison.goto(liaison.url + "?step=feedback")
    assert await liaison.input_value("textarea[name=text]") == "已报补种计划"
    await liaison.get_by_role("button", name=re.compile("确认")).click()
    await expect(liaison.locator(".done")).to_be_visible()
    await liaison.goto(liaison.url.split("?")[0] + "?step=feedback")
    assert await liaison.input_value("textarea[name=text]") == ""


async def test_a_session_that_ended_leads_back_to_where_one_was(town: Town, sign_in: SignIn):
    matter = await taken(town, "楼道照明")
    liaison = await sign_in("L001", f"/desk/matters/{matter}?step=feedback")
    await liaison.fill("textarea[name=text]", "已更换灯具")
    await liaison.context.clear_cookies()
    await liaison.goto(liaison.url)
    await liaison.locator("details summary").click()
    await liaison.fill("#token", "L001")
    await liaison.locator("form[action='/sign-in/token'] button").click()
    await liaison.wait_for_url(f"**/desk/matters/{matter}?step=feedback")
    assert await liaison.input_value("textarea[name=text]") == "已更换灯具"


async def test_a_part_that_cannot_be_made_anew_leaves_the_page_as_it_is(
    town: Town, sign_in: SignIn, account: Account
):
    account.expected += ["502", "401"]
    matter = await offered(town, "站前路路面塌陷")
    page = await sign_in("L001", f"/desk/matters/{matter}")
    changed = "document.getElementById('live').dispatchEvent(new Event('changed'))"
    await page.route(
        "**/desk/matters/**",
        lambda route: route.fulfill(status=502, content_type="application/json", body="{}"),
        times=1,
    )
    async with page.expect_response(lambda answer: answer.status == 502):
        await page.evaluate(changed)
    await expect(page.locator("#facts h1")).to_contain_text("站前路路面塌陷")
    await page.context.clear_cookies()
    await page.evaluate(changed)
    await expect(page.locator("#trouble")).to_contain_text("登录已过期")
    await expect(page.locator("#facts h1")).to_contain_text("站前路路面塌陷")


async def test_keys_move_and_accept_and_are_dead_while_words_are_typed(town: Town, sign_in: SignIn):
    matter = await offered(town, "路口视线被挡")
    liaison = await sign_in("L001")
    await expect(row(liaison, "路口视线被挡")).to_be_visible()
    for _ in range(await liaison.locator("[data-row]").count()):
        await liaison.keyboard.press("j")
        if await liaison.locator(f"[data-row='{matter}'].at").count():
            break
    await liaison.keyboard.press("a")
    await expect(row(liaison, "路口视线被挡")).to_contain_text("办理中")
    await liaison.goto(liaison.url.split("/desk")[0] + "/desk/search")
    await liaison.focus("input[name=q]")
    await liaison.keyboard.type("jkad")
    assert await liaison.input_value("input[name=q]") == "jkad"


async def test_who_may_not_see_a_matter_is_told_that_there_is_none(
    town: Town, sign_in: SignIn, account: Account
):
    account.expected.append("404")
    matter = await offered(town, "隔壁噪声")
    stranger = await sign_in("L002", f"/desk/matters/{matter}")
    await expect(stranger.locator(".trouble")).to_be_visible()
    assert "隔壁噪声" not in await stranger.inner_text("body")


async def test_a_hostile_text_does_nothing(town: Town, sign_in: SignIn):
    hostile = '<img src=x onerror="document.title=1">"\'{{ 7 * 7 }}'
    matter = await taken(town, hostile)
    liaison = await sign_in("L001", f"/desk/matters/{matter}")
    await expect(liaison.locator("h1 bdi")).to_have_text(hostile)
    assert await liaison.locator("main img").count() == 0


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("width", [390, 1440])
async def test_every_page_is_accessible_and_fits(
    town: Town, sign_in: SignIn, lang: str, width: int
):
    matter = await taken(town, f"{lang}{width} 门前积水" + "很长的名字" * 8)
    await town.do(
        "L001",
        "POST",
        f"/followup/matters/{matter}/plan",
        {"milestones": [{"title": "勘察", "owner_department": "D-CON", "due_at": in_a_month()}]},
    )
    page = await sign_in("L001", viewport={"width": width, "height": 900})
    address = page.url.split("/desk")[0]
    for path in (
        "/desk",
        "/desk?view=all",
        f"/desk/matters/{matter}",
        f"/desk/matters/{matter}?step=plan",
        "/desk/search?q=积水",
        "/desk/chart",
        "/desk/lead",
        "/me",
    ):
        joint = "&" if "?" in path else "?"
        await page.goto(f"{address}{path}{joint}lang={lang}")
        found = await Axe().run(page)
        assert found.response["violations"] == [], (path, found.generate_report())
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path


async def test_a_coordinator_rules_an_objection(town: Town, sign_in: SignIn):
    matter = await offered(town, "道路划线不清")
    (offer,) = [
        each
        for each in (await town.get("L001", "/routing/queues/me"))["items"]
        if each["matter_id"] == matter
    ]
    declined = {"reason_code": "not_ours", "suggested_owner": "D-CON", "note": "属城建"}
    await town.do("L001", "POST", f"/routing/offers/{offer['offer_id']}/decline", declined)
    coordinator = await sign_in("C001", "/desk/coordinate")
    await row(coordinator, "道路划线不清").get_by_role("button", name=re.compile("改派")).click()
    await expect(coordinator.locator(".done")).to_be_visible()
    await expect(row(coordinator, "道路划线不清")).to_have_count(0)


async def test_a_liaison_is_told_that_coordinating_is_not_theirs(sign_in: SignIn, account: Account):
    account.expected.append("403")
    liaison = await sign_in("L001", "/desk/coordinate")
    await expect(liaison.locator(".trouble")).to_be_visible()
    assert await liaison.locator("nav.desk-places").inner_text() != ""


async def test_the_rates_are_a_page_and_a_file(town: Town, sign_in: SignIn):
    leader = await sign_in("C001", "/desk/lead?by=category")
    await expect(leader.locator(".figures")).to_contain_text("满意率")
    async with leader.expect_download() as download:
        await leader.get_by_role("button", name="导出表格（CSV）").click()
    file = await (await download.value).path()
    assert file.read_bytes().startswith("\ufeff".encode())
