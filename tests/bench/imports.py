"""Line 7: posts at 100 a second while files of 8 MiB are imported one after another, beside the same without.

Intake alone, in one process with its relay; CSV and XLSX in turn, 10,000 rows each, which are registered meanwhile.
"""

import asyncio
import contextlib
import csv
import io
import json
import random
import sys
import time
from collections import Counter
from typing import Any

import httpx
from openpyxl import Workbook

from shared.tables.upload import XLSX
from tests.bench.ground import Service, services, standing
from tests.bench.line import Line, Scope

RATE = 100
SECONDS = 30.0
BRIEF_SECONDS = 3.0
WARM_SECONDS = 3.0
ROWS = 10_000
FILE_BYTES = 8 * 1024 * 1024
P99_MS = 100.0
HEADER = (
    "source_ref", "channel", "kind", "requester.kind", "requester.id", "requester.name", "summary",
    "detail",
)  # fmt: skip
CSV_DETAIL, XLSX_DETAIL = 225, 400
"""Characters a row, by which the files come to 8 MiB."""


async def measure(scope: Scope) -> list[Line]:
    """Posts without imports, then with them."""
    seconds = BRIEF_SECONDS if scope.brief else SECONDS
    files = [("text/csv", _csv()), (XLSX, _xlsx())]
    for media_type, raw in files:
        scope.say(f"  {media_type}: {len(raw) / 1024**2:.1f} MiB")
        if not 0.8 * FILE_BYTES < len(raw) <= FILE_BYTES:
            raise RuntimeError(f"a file of {len(raw)} bytes is not what is to be measured")
    with standing(scope.folder) as ground:
        place = await ground.place()
        async with services(place, ["intake"]) as running:
            intake = running["intake"]
            await _posted(intake, "warm", WARM_SECONDS)
            alone = await _posted(intake, "alone", seconds)
            scope.say(f"  without imports: {alone}")
            done: Counter[str] = Counter()
            importing = asyncio.create_task(_import(intake, files, done))
            try:
                beside = await _posted(intake, "beside", seconds)
            finally:
                importing.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await importing
    scope.say(f"  with imports: {beside}, {dict(done)}")
    return [
        Line(
            7,
            f"POST at {RATE} a second beside imports of 8 MiB, p99",
            "ms",
            beside["ms"]["p99"],
            {"without imports": alone["ms"]["p99"]},
            f"at most {P99_MS:.0f} ms",
            beside["ms"]["p99"] <= P99_MS,
            {"alone": alone, "beside": beside, "imports": dict(done)},
        )
    ]


def _details(length: int) -> list[tuple[str, ...]]:
    chance = random.Random(length)  # noqa: S311 - text that does not compress away, the same each time
    letters = [chr(code) for code in range(0x4E00, 0x5600)]
    return [
        (
            f"r-{number}", "hotline", "help", "enterprise", "91310117MA10000012", "松江示例精密机械有限公司",
            "园区北门道路积水", "".join(chance.choices(letters, k=length)),
        )
        for number in range(ROWS)
    ]  # fmt: skip


def _csv() -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file).writerows((HEADER, *_details(CSV_DETAIL)))
    return file.getvalue().encode()


def _xlsx() -> bytes:
    book, file = Workbook(write_only=True), io.BytesIO()
    sheet = book.create_sheet()
    for cells in (HEADER, *_details(XLSX_DETAIL)):
        sheet.append(cells)
    book.save(file)
    return file.getvalue()


async def _import(intake: Service, files: list[tuple[str, bytes]], done: Counter[str]) -> None:
    """Import the files in turn for ever, under another source each time."""
    async with httpx.AsyncClient(base_url=intake.address, timeout=60) as client:
        number = 0
        while True:
            media_type, raw = files[number % len(files)]
            begun = time.monotonic()
            answer = await client.post(
                "/intake/imports",
                params={"source": f"urn:bench:{number}"},
                content=raw,
                headers={"authorization": "Bearer system", "content-type": media_type},
            )
            if answer.status_code == 503:
                done["busy"] += 1
                await asyncio.sleep(1)
                continue
            if answer.status_code != 202 or answer.json()["rows"] != ROWS:
                raise RuntimeError(
                    f"an import was answered {answer.status_code}: {answer.text[:300]}"
                )
            done[media_type.rpartition("/")[2][:4]] += 1
            done["milliseconds"] += round((time.monotonic() - begun) * 1000)
            number += 1


async def _posted(intake: Service, run: str, seconds: float) -> dict[str, Any]:
    options = {"port": intake.port, "run": run, "rate": RATE, "seconds": seconds}
    arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "tests.bench.steady", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(seconds + 60):
            said, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
    if child.returncode:
        raise RuntimeError(f"the posts ended with {child.returncode}")
    found: dict[str, Any] = json.loads(said)
    if set(found["statuses"]) - {"200", "202"}:
        raise RuntimeError(f"posts were answered {found['statuses']}")
    return found
