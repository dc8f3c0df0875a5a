"""What a reader does survives the morphs that are pushed meanwhile: decides whether the pages may be made with htmx."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.routing import Route

from deploy.local.embedded.ports import pick
from shared.web.look import SECURITY_HEADERS, assets
from tests.browser.stack import serving

PUSHES = 100
PAUSE_SECONDS = 0.05

PAGE = """<!doctype html><html lang="zh-CN"><head><title>morphs</title>
<meta name="htmx-config" content='{{"includeIndicatorCSS": false}}'>
</head><body><div hx-sse:connect="/pushes" hx-target="#region" hx-swap="outerMorph" id="live"></div>{region}
<script src="/static/htmx.min.js"></script><script src="/static/hx-sse.min.js"></script></body></html>"""


def region(number: int) -> str:
    """A list with a form in it, as the pages have them: rows come, go and move around what is typed into."""
    rows = [f'<li id="row-{each}">事项 {each}: {number}</li>' for each in range(number % 7)]
    typed = (
        '<li id="typing"><form><label>答复 <textarea id="words" name="words"></textarea></label>'
        '<select id="choice" name="choice"><option>a</option><option>b</option></select>'
        '<button id="go">提交</button></form></li>'
    )
    rows.insert(number % 3, typed)
    return f'<ol id="region" data-number="{number}">{"".join(rows)}</ol>'


async def show(request: Request) -> Response:
    return HTMLResponse(PAGE.format(region=region(0)), headers=dict(SECURITY_HEADERS))


async def static(request: Request) -> Response:
    asset = assets()[request.path_params["name"]]
    return Response(asset.content, media_type=asset.media_type)


async def pushes(request: Request) -> Response:
    started: asyncio.Event = request.app.state.started

    async def events() -> AsyncIterator[str]:
        yield ": hello\n\n"
        await started.wait()
        for number in range(1, PUSHES + 1):
            yield f"data: {region(number)}\n\n"
            await asyncio.sleep(PAUSE_SECONDS)
        # The page would connect again, and begin anew.
        await asyncio.sleep(60)

    return StreamingResponse(events(), media_type="text/event-stream")


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page whose morphs begin when `app.state.started` is set; no complaint may be left in its console."""
    app = Starlette(
        routes=[Route("/", show), Route("/static/{name}", static), Route("/pushes", pushes)]
    )
    app.state.started = asyncio.Event()
    complaints: list[str] = []
    async with serving(app, pick(None)) as address:
        context = await browser.new_context()
        found = await context.new_page()
        found.on("console", lambda message: complaints.append(message.text))
        found.on("pageerror", lambda error: complaints.append(str(error)))
        await found.goto(address)
        found.started = app.state.started  # type: ignore[attr-defined]
        yield found
        await context.close()
    assert [each for each in complaints if "favicon" not in each and "404" not in each] == []


async def all_pushed(page: Page) -> None:
    await page.wait_for_selector(f'#region[data-number="{PUSHES}"]')


async def test_what_is_typed_and_its_caret_survive(page: Page):
    words = page.locator("#words")
    await words.focus()
    page.started.set()
    sentence = "道路已经修好，请企业放心通行。"
    for character in sentence:
        await words.press_sequentially(character, delay=200)
    await all_pushed(page)
    assert await words.input_value() == sentence
    assert await page.evaluate("document.activeElement.id") == "words"
    assert await page.evaluate("document.activeElement.selectionStart") == len(sentence)


async def test_a_selection_survives(page: Page):
    await page.fill("#words", "一二三四五六")
    await page.evaluate("document.getElementById('words').setSelectionRange(1, 4)")
    await page.focus("#words")
    await page.evaluate("document.getElementById('words').setSelectionRange(1, 4)")
    page.started.set()
    await all_pushed(page)
    selection = "[document.activeElement.selectionStart, document.activeElement.selectionEnd]"
    assert await page.evaluate(selection) == [1, 4]


async def test_a_choice_survives(page: Page):
    await page.select_option("#choice", "b")
    page.started.set()
    await all_pushed(page)
    assert await page.input_value("#choice") == "b"


async def test_a_composition_survives(page: Page):
    """Pinyin: what is composed is not yet in the field's value; a morph must not end or double it."""
    await page.focus("#words")
    session = await page.context.new_cdp_session(page)
    page.started.set()
    for typed in ("x", "xi", "xiu", "xiu l", "xiu lu"):
        await session.send(
            "Input.imeSetComposition",
            {"text": typed, "selectionStart": len(typed), "selectionEnd": len(typed)},
        )
        await asyncio.sleep(0.8)
    await session.send("Input.insertText", {"text": "修路"})
    await all_pushed(page)
    assert await page.input_value("#words") == "修路"
    assert await page.evaluate("document.activeElement.id") == "words"


async def test_focus_on_a_button_in_a_row_that_moves_survives(page: Page):
    await page.focus("#go")
    page.started.set()
    await all_pushed(page)
    assert await page.evaluate("document.activeElement.id") == "go"
