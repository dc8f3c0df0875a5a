"""Files are read in a process of their own: bounded, ended in time, and of no weight to what runs beside it."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from shared.tables import process, worker
from shared.tables.process import QueueFull, TableProcesses
from shared.tables.table import Unusable
from tests.unit.tables.making import row, sheet_of, text_cell, workbook

pytestmark = pytest.mark.thorough
"""Processes of their own."""

HEADER = row(1, text_cell("A1", "甲"), text_cell("B1", "乙"))


@pytest.fixture
def processes() -> TableProcesses:
    return TableProcesses()


def children() -> Iterator[psutil.Process]:
    for child in psutil.Process().children():
        if str(worker.__file__) in " ".join(child.cmdline()):
            yield child


async def refusal(processes: TableProcesses, raw: bytes) -> str:
    with pytest.raises(Unusable) as caught:
        await processes.read(raw, 10_000)
    return caught.value.code


async def test_a_table_comes_back_as_it_was_read(processes: TableProcesses):
    rows = [row(at, text_cell(f"A{at}", f"行{at}")) for at in range(2, 900)]
    rows.append(row(900, '<c r="B900" t="e"><v>#N/A</v></c>'))
    table = await processes.read(workbook(sheet_of(HEADER, *rows)), 10_000)
    assert (len(table.rows), table.rows[899], table.sheet) == (899, ("行899",), "表1")
    [fault] = table.faults[900]
    assert (fault.code, fault.column, fault.found) == ("error_cell", 1, "#N/A")
    table = await processes.read("甲;乙\n1;2\n".encode("gb18030"), 10, "gbk")
    assert (table.header, table.delimiter, table.encoding) == (("甲", "乙"), ";", "gb18030")


async def test_case_80_far_rows_are_refused_at_once_and_side_by_side(processes: TableProcesses):
    bomb = workbook(sheet_of(HEADER, '<row r="1000000000000000"><c><v>1</v></c></row>'))
    codes = await asyncio.gather(*(refusal(processes, bomb) for _ in range(8)))
    assert codes == ["row_number"] * 8


async def test_case_80_millions_of_shared_strings_are_refused(processes: TableProcesses):
    strings = "<si><t>x</t></si>" * 3_300_000
    raw = workbook(sheet_of(HEADER), strings=strings)
    assert len(raw) < 300_000
    assert await refusal(processes, raw) == "limit_strings"


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ("</row><row>".join(["<c/>" * 10_000] * 110), "limit_cells"),
        ('</row><row r="3">' * 1_200_000, "limit_rows"),
        (" " * (65 * 1024 * 1024), "limit_unpacked"),
    ],
)
async def test_case_80_what_unpacks_to_more_than_its_limit_is_refused_by_name(
    processes: TableProcesses, inner: str, code: str
):
    assert await refusal(processes, workbook(sheet_of(HEADER, f"<row>{inner}</row>"))) == code


async def test_a_process_that_takes_too_long_is_ended(
    processes: TableProcesses, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(process, "MAX_SECONDS", 0.01)
    assert await refusal(processes, b"a\n" * 10) == "limit_time"
    assert not list(children())


@pytest.mark.parametrize(
    ("ended_by", "code"), [(signal.SIGXCPU, "limit_time"), (signal.SIGKILL, "limit_memory")]
)
async def test_a_process_that_the_kernel_ended_is_a_limit_by_name(
    processes: TableProcesses, ended_by: signal.Signals, code: str
):
    reading = asyncio.create_task(refusal(processes, slow_file()))
    child = await a_child()
    child.send_signal(ended_by)
    assert await reading == code


async def test_a_call_that_is_cancelled_ends_its_process(processes: TableProcesses):
    reading = asyncio.create_task(processes.read(slow_file(), 10_000))
    child = await a_child()
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert not child.is_running()


async def test_only_some_run_and_only_some_wait():
    processes = TableProcesses(max_running=1, max_waiting=1)
    readings = [asyncio.create_task(processes.read(slow_file(), 10_000)) for _ in range(2)]
    await a_child()
    with pytest.raises(QueueFull):
        await processes.read(b"a\n1\n", 10)
    assert len(list(children())) == 1
    for reading in readings:
        reading.cancel()
    await asyncio.gather(*readings, return_exceptions=True)
    assert (await processes.read(b"a\n1\n", 10)).rows == {2: ("1",)}


def test_a_process_bounds_itself():
    code = (
        "import resource, os; from shared.tables.worker import limit_process; limit_process();"
        "print(*(resource.getrlimit(kind)[0] for kind in"
        " (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)), os.nice(0))"
    )
    answer = subprocess.run(
        (sys.executable, "-c", code), capture_output=True, text=True, check=True, cwd=Path.cwd()
    )
    memory, seconds, files, nice = map(int, answer.stdout.split())
    assert memory == worker.MAX_MEMORY_BYTES
    assert (seconds, files) == (worker.MAX_PROCESSOR_SECONDS, 0)
    assert nice > os.nice(0)


def test_memory_that_runs_out_is_a_limit_by_name():
    code = (
        "import resource, sys, io; resource.setrlimit(resource.RLIMIT_AS, (60_000_000,) * 2);"
        "from shared.tables.worker import serve;"
        "raw = b'{\"most_rows\": 9, \"charset\": null}\\n' + b'a\\n' + b'x,' * 4_000_000;"
        "serve(io.BytesIO(raw), sys.stdout.buffer)"
    )
    answer = subprocess.run((sys.executable, "-c", code), capture_output=True, check=False)
    assert b"limit_memory" in answer.stdout or b"too_many_columns" in answer.stdout


def slow_file() -> bytes:
    """A CSV of many blank rows of cells, which takes some seconds to read."""
    return b"a,b,c\n" + b",,\n" * 2_500_000 + b"1,2,3\n"


async def a_child() -> psutil.Process:
    begun = time.monotonic()
    while time.monotonic() - begun < 20:
        for child in children():
            if child.cpu_times().user > 0.05:
                return child
        await asyncio.sleep(0.02)
    raise AssertionError("no process was started")
