"""What the live page does when its stream is lost or refused."""

from playwright.async_api import Route, expect

from deploy.local.embedded.ports import pick
from tests.browser.conftest import Account, OpenPage
from tests.browser.stack import Stack, serving
from tests.flow.town import Town


async def test_a_lost_stream_is_said_and_taken_up_again(
    visit: OpenPage, stack: Stack, town: Town, account: Account
):
    account.expected += ["ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_REFUSED", "MIME type"]
    port = pick(None)
    async with serving(stack.origin, port) as address:
        page = await visit("/", address)
        await expect(page.locator("#stand")).to_have_text("实时更新中")
    await expect(page.locator("#stand")).to_have_text("连接已断开，正在重连…")
    await town.post(town.submission(summary="断线时提交的诉求"))
    async with serving(stack.origin, port):
        await expect(page.locator("#stand")).to_have_text("实时更新中")
        await expect(page.locator(".arrivals")).to_contain_text("断线时提交的诉求")
        await page.close()


async def test_where_no_stream_is_to_be_had_the_page_is_asked_again(
    visit: OpenPage, stack: Stack, town: Town, account: Account
):
    account.expected.append("503")

    async def full(route: Route) -> None:
        await route.fulfill(status=503)

    page = await visit("/docs")
    await page.clock.install()
    await page.route("**/live/stream*", full)
    await page.goto(stack.url("/"))
    await expect(page.locator("#stand")).to_have_text("每 10 秒刷新一次")
    answer = await town.post(town.submission(summary="轮询也能看到的诉求"))
    await town.offered(answer.json()["request_id"])
    await page.clock.fast_forward(10_000)
    await expect(page.locator(".arrivals")).to_contain_text("轮询也能看到的诉求")
