"""The live page's stream ends with the right to look, whether a cookie or a header shows the token."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from services.desk.pages.live import updates
from tests.integration.desk.live.conftest import Site
from tests.integration.followup.conftest import Followup
from tests.integration.followup.samples import new_matter, registered
from tests.support.streaming import WAYS, Reader, reading

HEARTBEAT_SECONDS = 0.5


async def shown_by(site: Site, shown: str) -> dict[str, str]:
    """The headers of somebody who is signed in."""
    if shown == "header":
        return {"authorization": "Bearer C001"}
    await site.sign_in("C001")
    return {"cookie": f"liaison_session={site.client.cookies['liaison_session']}"}


def open_stream(site: Site, headers: dict[str, str]) -> AbstractAsyncContextManager[Reader]:
    url = site.client.base_url
    return reading((url.host, url.port or 80), "/live/stream", headers)


@pytest.mark.parametrize(("shown", "busy"), [("header", True), ("cookie", False)])
@pytest.mark.parametrize("way", WAYS)
async def test_case_27_the_live_page_s_stream_ends_with_its_token(
    site: Site,
    followup: Followup,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
    shown: str,
    busy: bool,
):
    monkeypatch.setattr(updates, "HEARTBEAT_SECONDS", HEARTBEAT_SECONDS)
    site.open_to_all(False)
    headers = await shown_by(site, shown)
    async with open_stream(site, headers) as reader:
        await reader.until(b"event: snapshot")
        WAYS[way](tmp_path / "tokens.json")
        if busy:
            await followup.take(registered(new_matter(), summary="令牌失效之后"))
        rest = await reader.rest(HEARTBEAT_SECONDS + updates.PAUSE_SECONDS + 2)
        assert b"event:" not in rest
    if way != "another party" or shown == "cookie":
        async with open_stream(site, headers) as refused:
            assert (await refused.until(b"\r\n")).startswith(b"HTTP/1.1 401")


async def test_a_page_that_closes_ends_the_streams_of_strangers(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(updates, "HEARTBEAT_SECONDS", HEARTBEAT_SECONDS)
    async with open_stream(site, {}) as reader:
        await reader.until(b"event: snapshot")
        site.open_to_all(False)
        await reader.rest(HEARTBEAT_SECONDS + 2)


async def test_on_an_open_page_a_token_that_ends_takes_nothing_away(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(updates, "HEARTBEAT_SECONDS", HEARTBEAT_SECONDS)
    async with open_stream(site, await shown_by(site, "cookie")) as reader:
        await reader.until(b"event: snapshot")
        WAYS["revoked"](tmp_path / "tokens.json")
        await asyncio.sleep(HEARTBEAT_SECONDS)
        reader.seen = b""
        await reader.until(b"event: heartbeat")


async def test_a_session_that_ends_takes_its_streams_along(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(updates, "HEARTBEAT_SECONDS", HEARTBEAT_SECONDS)
    site.open_to_all(False)
    async with open_stream(site, await shown_by(site, "cookie")) as reader:
        await reader.until(b"event: snapshot")
        await site.client.post("/sign-out")
        await reader.rest(HEARTBEAT_SECONDS + 2)
