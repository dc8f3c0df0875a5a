"""The pages for strangers in a browser without scripts, and what axe-core finds on each."""

from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.conftest import FLAGS
from tests.browser.conftest import chromium as chromium
from tests.browser.test_live_page import LARGE, RULES, SMALL
from tests.integration.desk.public.forms import typed
from tests.integration.desk.public.running import Away, Desk
from tests.integration.intake.test_receipts import Taken

OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def visit(browser: Browser, desk: Desk) -> OpenPage:
    async def open_page(path: str, **options: object) -> Page:
        page = await (await browser.new_context(**options)).new_page()
        await page.goto(desk.address + path)
        return page

    return open_page


async def fill(page: Page, **changes: str) -> None:
    """Type a request into the form as a person would."""
    for name, value in typed(**changes).items():
        if name in ("who", "kind"):
            await page.check(f"input[name={name}][value={value}]")
        else:
            await page.fill(f"#{name}", value)


async def test_a_request_is_made_and_followed_without_scripts(
    visit: OpenPage, conn: asyncpg.Connection
):
    page = await visit("/ask", java_script_enabled=False, viewport=SMALL)
    await page.get_by_role("button", name="提交诉求").click()
    await expect(page.get_by_role("alert")).to_be_focused()
    await page.get_by_role("link", name="请填写联系电话，我们要靠它联系您。").click()
    await page.keyboard.type("010-5550-0101")
    assert await page.input_value("#phone") == "010-5550-0101", "the link leads into the field"
    await page.get_by_label("个人").check()
    await expect(page.get_by_label("统一社会信用代码")).to_be_hidden()
    await fill(page, who="enterprise", summary="<b>路面</b>塌陷")
    await page.get_by_role("button", name="提交诉求").click(click_count=2)
    await expect(page.get_by_role("heading", name="<b>路面</b>塌陷")).to_be_visible()
    await expect(page.get_by_role("status")).to_contain_text("已经收到")
    assert await conn.fetchval("select count(*) from request") == 1
    receipt = page.url.partition("?")[0]

    await page.go_back()
    await expect(page.get_by_label("详细情况")).to_have_value(
        "雨后积水约二十厘米。\n货车无法进出。"
    )
    await page.get_by_role("button", name="提交诉求").click()
    await page.wait_for_url(f"{receipt}*")
    assert await conn.fetchval("select count(*) from request") == 1, "sent again, it is the same"
    await page.goto(receipt)
    await page.get_by_label("还有什么要告诉办理的人").fill("又塌了一块")
    await page.get_by_role("button", name="提交补充").click()
    await expect(page.get_by_role("status")).to_contain_text("补充的情况已经收到")
    await page.reload()
    assert await conn.fetchval("select count(*) from event") == 2, "a reload sends nothing again"

    request_id = await conn.fetchval("select id from request")
    await Taken(None, conn, {"request_id": str(request_id), "status_url": ""}).handled()
    await page.goto(receipt)
    await page.get_by_label("没有解决").check()
    await page.get_by_label("2 不满意").check()
    await page.get_by_role("button", name="提交评价").click()
    await expect(page.get_by_role("status")).to_contain_text("谢谢")


@pytest.mark.timeout(240)
async def test_axe_finds_nothing_on_any_page(visit: OpenPage, away: Away, conn: asyncpg.Connection):
    for lang, size, scheme in (("zh", SMALL, "light"), ("en", LARGE, "dark")):
        page = await visit(f"/ask?lang={lang}", viewport=size, color_scheme=scheme)
        await accessible(page)
        await page.click("button.primary")
        await accessible(page)
        await fill(page)
        away.down = True
        await page.click("button.primary")
        await accessible(page)
        away.down = False
        await page.click("button.primary")
        await accessible(page)
        receipt = page.url.partition("?")[0]
        request_id = await conn.fetchval("select id from request order by id desc limit 1")
        await Taken(None, conn, {"request_id": str(request_id), "status_url": ""}).handled()
        await page.goto(receipt)
        await page.click("details summary")
        await accessible(page)
        await page.click("#answer-visit button")
        await accessible(page)
        for path in ("/r", "/r/AAAAAA-BBBBBB-CCCCCC-DDDDDD"):
            await page.goto(receipt.partition("/r/")[0] + path)
            await accessible(page)


async def accessible(page: Page) -> None:
    """Nothing to complain of, nothing wider than the screen, everything large enough for a thumb."""
    found = await Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    width, seen = await page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width <= seen, page.url
    await expect(page.locator("main :is(button, input, textarea)").first).to_be_attached()
