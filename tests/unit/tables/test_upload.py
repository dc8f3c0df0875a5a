"""A call whose client has left reads no further."""

import asyncio

import psutil
import pytest
from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Message

from shared.tables.upload import read_upload
from tests.unit.tables.test_process import a_child, children, slow_file


async def test_case_80_the_process_ends_when_the_client_leaves():
    left = asyncio.Event()
    body: list[Message] = [{"type": "http.request", "body": slow_file(), "more_body": False}]

    async def receive() -> Message:
        if body:
            return body.pop()
        await left.wait()
        return {"type": "http.disconnect"}

    scope = {
        "type": "http", "method": "POST", "path": "/", "query_string": b"",
        "headers": [(b"content-type", b"text/csv")],
    }  # fmt: skip
    reading = asyncio.create_task(read_upload(Request(scope, receive), 10, "import_unusable"))
    child = await a_child()
    left.set()
    with pytest.raises(ClientDisconnect):
        await reading
    assert not psutil.pid_exists(child.pid) or not child.is_running()
    assert not list(children())
