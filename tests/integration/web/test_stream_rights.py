"""The live page's stream ends with the right to look, whether a cookie or a header shows the token."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from services.followup.pages import live
from tests.integration.followup.conftest import Followup
from tests.integration.followup.samples import new_matter, registered
from tests.integration.web.conftest import Site
from tests.support.streaming import WAYS, Reader, reading

HEARTBEAT_SECONDS = 0.5
SHOWN = {
    "header": {"authorization": "Bearer C001"},
    "cookie": {"cookie": "liaison_token=C001"},
}


def open_stream(site: Site, headers: dict[str, str]) -> AbstractAsyncContextManager[Reader]:
    url = site.client.base_url
    return reading((url.host, url.port or 80), "/followup/live", headers)


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
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", HEARTBEAT_SECONDS)
    site.open_to_all(False)
    async with open_stream(site, SHOWN[shown]) as reader:
        await reader.until(b"event: snapshot")
        WAYS[way](tmp_path / "tokens.json")
        if busy:
            await followup.take(registered(new_matter(), summary="令牌失效之后"))
        rest = await reader.rest(HEARTBEAT_SECONDS + live.PAUSE_SECONDS + 2)
        assert b"event:" not in rest
    if way != "another party":
        async with open_stream(site, SHOWN[shown]) as refused:
            assert (await refused.until(b"\r\n")).startswith(b"HTTP/1.1 401")


async def test_a_page_that_closes_ends_the_streams_of_strangers(
    site: Site, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", HEARTBEAT_SECONDS)
    async with open_stream(site, {}) as reader:
        await reader.until(b"event: snapshot")
        site.open_to_all(False)
        await reader.rest(HEARTBEAT_SECONDS + 2)


async def test_on_an_open_page_a_token_that_ends_takes_nothing_away(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live, "HEARTBEAT_SECONDS", HEARTBEAT_SECONDS)
    async with open_stream(site, SHOWN["cookie"]) as reader:
        await reader.until(b"event: snapshot")
        WAYS["revoked"](tmp_path / "tokens.json")
        await asyncio.sleep(HEARTBEAT_SECONDS)
        reader.seen = b""
        await reader.until(b"event: heartbeat")
