"""Reads a file in a process of its own, which is ended when its time is up or nobody waits for it any more."""

import asyncio
import contextlib
import os
import signal
import struct
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import orjson

from shared.tables import worker
from shared.tables.table import CellFault, TableData, UnsupportedFormat, Unusable

MAX_SECONDS: Final = 30.0
MAX_RUNNING: Final = 2
MAX_WAITING: Final = 8
_MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
_PIPE_CHUNK: Final = 64 * 1024
_COMMAND: Final = (sys.executable, "-I", "-S", "-B", str(Path(worker.__file__).resolve()))


class QueueFull(Exception):
    """As many files as may wait to be read are waiting."""


class TableProcesses:
    """Reads files side by side, `MAX_RUNNING` at once, `MAX_WAITING` behind them in the order they came."""

    def __init__(self, max_running: int = MAX_RUNNING, max_waiting: int = MAX_WAITING) -> None:
        self._slots = asyncio.Semaphore(max_running)
        self._free = max_running + max_waiting

    async def read(self, raw: bytes, most_rows: int, charset: str | None = None) -> TableData:
        """The table in `raw`; see `reader.read_table`. Raises QueueFull, and Unusable also for a limit that was passed.

        A cancelled call ends its process.
        """
        if self._free <= 0:
            raise QueueFull
        self._free -= 1
        try:
            async with self._slots:
                return await _read(raw, {"most_rows": most_rows, "charset": charset})
        finally:
            self._free += 1


async def _read(raw: bytes, options: Mapping[str, Any]) -> TableData:
    async with _process() as process:
        try:
            async with asyncio.timeout(MAX_SECONDS):
                sending = asyncio.create_task(_send(process, raw, options))
                try:
                    return await _received(process)
                finally:
                    sending.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await sending
        except TimeoutError as late:
            raise Unusable("limit_time", found=f"{MAX_SECONDS:.0f}") from late


@asynccontextmanager
async def _process() -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *_COMMAND, stdin=PIPE, stdout=PIPE, stderr=asyncio.subprocess.DEVNULL, env=_environment()
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())


def _environment() -> dict[str, str]:
    # No secret of the service's; the linker's paths are what an interpreter may need to start.
    return {name: os.environ[name] for name in ("LD_LIBRARY_PATH", "PATH") if name in os.environ}


async def _send(process: Process, raw: bytes, options: Mapping[str, Any]) -> None:
    pipe = process.stdin
    assert pipe is not None, "it is a pipe"  # noqa: S101 - narrows the type
    with contextlib.suppress(ConnectionError):
        pipe.write(orjson.dumps(options) + b"\n")
        for at in range(0, len(raw), _PIPE_CHUNK):
            pipe.write(raw[at : at + _PIPE_CHUNK])
            await pipe.drain()
        pipe.close()


async def _received(process: Process) -> TableData:
    table = TableData()
    while True:
        frame = await _frame(process)
        for number, cells, faults in frame.get("rows", ()):
            table.rows[number] = tuple(cells)
            if faults:
                table.faults[number] = tuple(CellFault(*fault) for fault in faults)
        if "unusable" in frame:
            code, row, found, unsupported = frame["unusable"]
            raise (UnsupportedFormat if unsupported else Unusable)(code, row, found)
        if "table" in frame:
            for name, value in frame["table"].items():
                setattr(table, name, tuple(value) if isinstance(value, list) else value)
            return table


async def _frame(process: Process) -> dict[str, Any]:
    pipe = process.stdout
    assert pipe is not None, "it is a pipe"  # noqa: S101 - narrows the type
    try:
        (size,) = struct.unpack(">I", await pipe.readexactly(4))
        if size > _MAX_FRAME_BYTES:
            raise Unusable("limit_memory", found=str(worker.MAX_MEMORY_BYTES // 1024**2))
        frame: dict[str, Any] = orjson.loads(await pipe.readexactly(size))
    except asyncio.IncompleteReadError as ended:
        raise _cause(await process.wait()) from ended
    return frame


def _cause(code: int) -> Unusable:
    """Why a process ended before it had said all: by a signal of the kernel's, else it was short of memory."""
    if code == -signal.SIGXCPU:
        return Unusable("limit_time", found=str(worker.MAX_PROCESSOR_SECONDS))
    return Unusable("limit_memory", found=str(worker.MAX_MEMORY_BYTES // 1024**2))
