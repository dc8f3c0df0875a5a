"""The page of a town where nobody has asked anything yet, and how the first request gets there."""

import shlex

import httpx
from playwright.async_api import expect

from shared.contracts.submission import Submission
from tests.browser.conftest import OpenPage
from tests.browser.stack import Stack


async def test_a_newcomer_posts_the_first_request_as_the_page_says(visit: OpenPage, stack: Stack):
    page = await visit("/")
    await expect(page.get_by_role("heading", name="还没有诉求，来提交第一件吧")).to_be_visible()
    await expect(page.locator("#stream")).to_have_attribute("data-state", "live")
    command = await page.locator("#command").inner_text()
    words = shlex.split(command.partition("\n")[2])
    assert words[0] == "curl"
    body = words[words.index("-d") + 1]
    Submission.model_validate_json(body)
    async with httpx.AsyncClient() as client:
        answer = await client.post(
            words[1],
            content=body.encode(),
            headers={"authorization": "Bearer system", "content-type": "application/json"},
        )
    assert answer.status_code == 202, answer.text
    await expect(page.locator(".arrivals")).to_contain_text("园区北门道路积水，货车进不来")
    await expect(page.locator("#first")).to_be_hidden()
