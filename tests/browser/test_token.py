"""A page that is not open to everybody: it leads to the form, and back after signing in with a token."""

from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Account, OpenPage


@pytest.fixture(scope="module")
def of_desk() -> dict[str, Any]:
    return {"open_page": False}


async def test_a_token_of_the_staff_opens_the_page_and_its_stream(
    visit: OpenPage, account: Account
):
    account.expected.append("401")
    page = await visit("/")
    await page.locator("details summary").click()
    await page.fill("#token", "system")
    await page.locator("form[action='/sign-in/token'] button").click()
    await expect(page.get_by_role("alert")).to_contain_text("令牌")
    await page.fill("#token", "O001")
    await page.locator("form[action='/sign-in/token'] button").click()
    await expect(page.locator("#stream")).to_have_attribute("data-state", "live")
    (cookie,) = [each for each in await page.context.cookies() if each["name"] == "liaison_session"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    await page.get_by_role("button", name="退出").click()
    await expect(page.locator("form[action='/sign-in']")).to_be_visible()
