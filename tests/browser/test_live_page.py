"""The live page as people meet it: in both languages, updating itself, by keyboard, without JavaScript."""

import asyncio
import re
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.browser.conftest import Account, OpenPage
from tests.browser.stack import Stack
from tests.flow.town import Town

SMALL, LARGE = {"width": 390, "height": 844}, {"width": 1440, "height": 900}
SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["390", "1440"])
SCHEMES = pytest.mark.parametrize("scheme", ["light", "dark"])
PAGES = (
    "/?lang=zh",
    "/?lang=en",
    "/docs?lang=zh",
    "/docs/integrating?lang=zh",
    "/asyncapi?lang=en",
)
# What of WCAG 2.2 AA a machine can check.
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="module")
async def busy_town(town: Town) -> Town:
    """One request went all the way, one is worked on, one is offered, one is a resident's."""
    closed = await asked(town, "路灯不亮，夜班工人不敢走")
    await take(town, closed)
    await town.step("L001", closed, "handle", outcome="resolved", answer="已换新灯。")
    visit = {"reached": True, "answered": True, "solved": True, "satisfaction": 5}
    await town.step("C002", closed, "return-visit", **visit)
    await town.in_state(closed, "closed")
    await take(town, await asked(town, "园区北门道路积水", urgency="urgent"))
    await asked(town, "想了解人才补贴怎么申请", kind="ask")
    resident = {"kind": "resident", "id": "R-1", "name": "某居民甲"}
    secret = "停车难，请回电 13800138000"
    offered = await asked(town, secret, requester=resident, kind="complaint")
    await town.offer_of(offered, "D-CON")
    return town


async def asked(town: Town, summary: str, **changes) -> str:
    answer = await town.post(town.submission(summary=summary, **changes))
    assert answer.status_code == 202, answer.text
    matter_id: str = answer.json()["request_id"]
    return matter_id


async def take(town: Town, matter_id: str) -> None:
    await town.do("L001", "POST", f"/routing/offers/{await town.offer_of(matter_id)}/accept", {})
    await town.in_state(matter_id, "in_progress")


async def shows_live(page: Page) -> None:
    await expect(page.locator("#stream")).to_have_attribute("data-state", "live")


@pytest.mark.parametrize(
    ("lang", "tag", "title", "words"),
    [
        (
            "zh",
            "zh-CN",
            "实时动态 · 店小二",
            ("三率", "即将到期", "结对店小二（主）", "待签收", "首次联系"),
        ),
        (
            "en",
            "en",
            "Live · Liaison",
            ("The three rates", "Due next", "primary liaison", "Offered"),
        ),
    ],
)
async def test_it_speaks_both_languages(
    visit: OpenPage, busy_town: Town, lang: str, tag: str, title: str, words: tuple[str, ...]
):
    page = await visit("/" if lang == "zh" else "/?lang=en")
    await expect(page).to_have_title(title)
    await expect(page.locator("html")).to_have_attribute("lang", tag)
    for word in words:
        await expect(page.get_by_role("main")).to_contain_text(word)


async def test_the_choice_of_language_is_remembered(visit: OpenPage, busy_town: Town):
    page = await visit("/")
    await page.get_by_role("link", name="English").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.goto(page.url.partition("?")[0])
    await expect(page.get_by_role("heading", level=1)).to_contain_text("Every request answered")


async def test_it_says_whom_a_request_went_to_and_why(visit: OpenPage, busy_town: Town):
    page = await visit("/")
    row = page.locator(".arrivals li", has_text="园区北门道路积水")
    await expect(row).to_contain_text("云杉精密 · 北园 · 求助")
    await expect(row).to_contain_text("沈一")
    await expect(row).to_contain_text("结对店小二（主）")
    await expect(row).to_contain_text("目录第 1 版 · 规则 R001")
    await expect(row).to_contain_text("紧急")
    await expect(row.locator(".state")).to_have_text("办理中")
    rates = page.locator(".rates")
    await expect(rates).to_contain_text("1 / 1 次回访")
    await expect(rates).to_contain_text("没有未计入的事项")


async def test_no_personal_data_is_on_it(visit: OpenPage, busy_town: Town):
    page = await visit("/")
    await expect(page.locator(".arrivals")).to_contain_text("停车难，请回电 ●●●●")
    content = await page.content()
    assert "13800138000" not in content
    assert "某居民甲" not in content


async def test_a_request_appears_by_itself_and_is_announced(
    visit: OpenPage, busy_town: Town, stack: Stack, account: Account
):
    page = await visit("/")
    await shows_live(page)
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    await asked(busy_town, "叉车没有年检标识")
    first = page.locator(".arrivals li").first
    await expect(first).to_contain_text("叉车没有年检标识")
    await expect(first.locator(".state")).to_have_text("待签收")
    await expect(page.locator("#news")).to_contain_text("叉车没有年检标识")
    assert loads == []
    assert account.asked, "the page asks for its style and its script"
    assert [url for url in account.asked if not url.startswith(stack.address)] == []


async def test_case_28_windows_of_one_browser_share_one_stream(
    visit: OpenPage, busy_town: Town, stack: Stack
):
    first = await visit("/")
    await shows_live(first)
    asked: list[str] = []
    first.context.on("request", lambda request: asked.append(request.url))
    second = await first.context.new_page()
    await second.goto(stack.url("/"), wait_until="domcontentloaded")
    await shows_live(second)
    await asked_for(busy_town, "围墙倒了一段", first, second)
    assert not any("/live/stream" in url for url in asked), "the second window has the first one's"
    await first.close()
    # Whoever waits for its turn has it at once, and what came meanwhile with it.
    await asked_for(busy_town, "路面塌陷", second)
    assert sum("/live/stream" in url for url in asked) == 1


async def test_windows_without_the_interfaces_for_it_have_streams_of_their_own(
    visit: OpenPage, busy_town: Town, stack: Stack
):
    first = await visit("/")
    await first.context.add_init_script("delete window.BroadcastChannel")
    second = await first.context.new_page()
    async with second.expect_request(lambda request: "/live/stream" in request.url):
        await second.goto(stack.url("/"), wait_until="domcontentloaded")
    await shows_live(second)
    await asked_for(busy_town, "井盖松动", first, second)


async def asked_for(town: Town, summary: str, *pages: Page) -> None:
    await asked(town, summary)
    for page in pages:
        await expect(page.locator(".arrivals")).to_contain_text(summary)


async def test_rows_that_stay_are_not_touched(visit: OpenPage, busy_town: Town):
    page = await visit("/")
    await shows_live(page)
    kept = await page.locator(".arrivals li", has_text="园区北门道路积水").element_handle()
    await asked(busy_town, "食堂要换燃气灶")
    await expect(page.locator(".arrivals")).to_contain_text("食堂要换燃气灶")
    assert kept is not None
    assert await kept.evaluate("row => row.isConnected")


async def test_updates_can_be_paused(visit: OpenPage, busy_town: Town):
    page = await visit("/?lang=en")
    await shows_live(page)
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("#stand")).to_have_text("Updates paused")
    await asked(busy_town, "会议室借用")
    # Longer than the stream takes to bring it, which the resuming below shows.
    await asyncio.sleep(3)
    await expect(page.locator(".arrivals")).not_to_contain_text("会议室借用")
    await page.get_by_role("button", name="Resume").click()
    await expect(page.locator(".arrivals")).to_contain_text("会议室借用", timeout=2_500)


@SIZES
@SCHEMES
async def test_it_fits(
    visit: OpenPage,
    busy_town: Town,
    stack: Stack,
    size: dict[str, int],
    scheme: str,
    tmp_path: Path,
):
    page = await visit("/", viewport=size, color_scheme=scheme)
    for path in PAGES:
        await page.goto(stack.url(path))
        name = f"{size['width']}-{scheme}{re.sub('[^a-z]+', '-', path)}.png"
        await page.screenshot(path=tmp_path / name, full_page=True)
        assert (tmp_path / name).stat().st_size > 10_000
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= size["width"], f"{path} scrolls sideways"


@pytest.mark.parametrize(
    ("path", "scheme"),
    [
        ("/?lang=zh", "light"),
        ("/?lang=zh", "dark"),
        ("/?lang=en", "dark"),
        ("/docs?lang=zh", "light"),
        ("/docs/integrating?lang=en", "light"),
        ("/docs/integrating?lang=zh", "dark"),
        ("/asyncapi?lang=en", "dark"),
    ],
)
async def test_it_is_accessible(visit: OpenPage, busy_town: Town, path: str, scheme: str):
    page = await visit(path, viewport=SMALL, color_scheme=scheme)
    await page.wait_for_load_state("load")
    found = await Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()


async def test_the_keyboard_reaches_everything(visit: OpenPage, busy_town: Town):
    page = await visit("/?lang=en")
    await shows_live(page)
    reached = []
    for _ in range(14):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.innerText.trim()"))
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid", f"{reached[-1]} shows no focus"
        if reached[-1] == "Pause":
            break
    places = ["Live", "Ask", "Desk", "API", "Events"]
    assert reached[:8] == ["Skip to the content", "Liaison", *places, "中文"]
    await page.keyboard.press("Space")
    await expect(page.locator("#stand")).to_have_text("Updates paused")


async def test_the_skip_link_goes_to_the_content(visit: OpenPage, busy_town: Town):
    page = await visit("/")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"


async def test_the_landmarks_are_there(visit: OpenPage, busy_town: Town):
    page = await visit("/?lang=en")
    for role, name in (
        ("banner", None),
        ("main", None),
        ("navigation", "Pages"),
        ("navigation", "Language"),
        ("region", re.compile("^The three rates")),
        ("region", re.compile("^Matters by state")),
        ("region", re.compile("^Latest requests")),
        ("region", re.compile("^Due next")),
    ):
        options = {} if name is None else {"name": name}
        await expect(page.get_by_role(role, **options)).to_have_count(1)
    await expect(page.locator("#news")).to_have_attribute("aria-live", "polite")


async def test_without_javascript_it_is_a_snapshot(visit: OpenPage, busy_town: Town):
    page = await visit("/", java_script_enabled=False)
    await expect(page.locator(".arrivals")).to_contain_text("园区北门道路积水")
    await expect(page.locator(".rates")).to_contain_text("100%")
    await expect(page.get_by_role("link", name="本页不会自动更新，点此刷新")).to_be_visible()
    await expect(page.locator("#stream")).to_be_hidden()


async def test_the_health_of_each_service_is_told(visit: OpenPage, busy_town: Town):
    page = await visit("/")
    await page.locator(".health summary").click()
    parts = page.locator(".parts")
    for part in ("数据", "消息队列", "事件发送", "受理服务", "派单服务", "跟进服务", "工作台"):
        await expect(parts.locator("li", has_text=part)).to_contain_text("正常")
