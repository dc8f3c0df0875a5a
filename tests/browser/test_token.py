"""A page that is not open to everybody: it asks for a token once."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Account, OpenPage


@pytest.fixture(scope="module")
def of_followup() -> dict[str, Any]:
    return {"open_page": False}


async def test_a_token_of_the_staff_opens_the_page_and_its_stream(
    visit: OpenPage, account: Account
):
    account.expected.append("401")
    page = await visit("/")
    await expect(page.get_by_role("heading", name="请输入令牌")).to_be_visible()
    await page.get_by_label("令牌").fill("system")
    await page.get_by_role("button", name="进入").click()
    await expect(page.get_by_role("alert")).to_contain_text("令牌无效")
    await page.get_by_label("令牌").fill("O001")
    await page.get_by_role("button", name="进入").click()
    await expect(page.locator("#stream")).to_have_attribute("data-state", "live")
    (cookie,) = [each for each in await page.context.cookies() if each["name"] == "liaison_token"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    await page.get_by_role("button", name="退出").click()
    await expect(page.get_by_role("heading", name="请输入令牌")).to_be_visible()
