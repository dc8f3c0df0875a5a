"""Every write of the API by a client that offers HTTP/2 over plain HTTP: its body counts as anybody's."""

import asyncio
import json
from typing import Any

import pytest

from tests.conftest import COUNTED
from tests.flow.doors import DOORS, filled
from tests.flow.processes import Stack
from tests.flow.test_doors import OPERATIONS
from tests.flow.test_hostile_texts import caller
from tests.flow.town import Town
from tests.flow.visiting import everything


async def curled(*arguments: str) -> tuple[int, Any]:
    """The status and the body of a call by curl."""
    process = await asyncio.create_subprocess_exec(
        "curl", "--silent", "--show-error", "--noproxy", "*", "--max-time", "30",
        "--write-out", "\n%{http_code}", *arguments, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode == 0, out
    body, _, status = out.decode().rpartition("\n")
    return int(status), json.loads(body) if body else None


def arguments(stack: Stack, name: str, key: str, things: dict[str, str]) -> list[str]:
    door, (method, path) = DOORS[name], name.split(" ")
    is_file = isinstance(door.body, str)
    body = door.body if is_file else json.dumps(filled(door.body, things) or {})
    token = caller(OPERATIONS[name])
    return [
        "--request", method, stack.url(path.format(**things)) + door.query,
        "--header", f"authorization: Bearer {token}", "--header", f"idempotency-key: {key}",
        "--header", f"content-type: {'text/csv' if is_file else 'application/json'}",
        "--data-binary", body,
    ]  # fmt: skip


@pytest.mark.timeout(240)
async def test_each_write_is_the_same_request_beside_an_offer_of_http2(
    town: Town, stack: Stack, record_property: Any
) -> None:
    """The second call repeats the key of the first: with another body, or none, its fingerprint would differ."""
    things = await everything(town)
    writes = [name for name in DOORS if not name.startswith("GET ")]
    statuses = []
    for number, name in enumerate(writes):
        call = arguments(stack, name, f"offer-{number}", things)
        offered = await curled("--http2", *call)
        again = await curled("--http1.1", *call)
        # A ticket is another one each time, whatever the key.
        assert offered[0] == again[0], name
        assert name.endswith("/tickets") or offered == again, name
        statuses.append(offered[0])
    done = sum(status < 300 for status in statuses)
    assert done > len(writes) / 3, dict(zip(writes, statuses, strict=True))
    record_property(COUNTED, f"{len(writes)} writes beside an offer of HTTP/2, {done} of them done")
