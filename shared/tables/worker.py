"""The process that reads one file: it limits itself, reads standard input, and writes frames to standard output.

Run by its path in an isolated interpreter without site packages, so that it starts fast and holds nothing.
A frame is a length of 4 bytes and JSON: some rows each, then the table without rows or what makes it unusable.
"""

import contextlib
import json
import os
import resource
import struct
import sys
from pathlib import Path
from typing import BinaryIO, Final

if __name__ == "__main__":
    sys.path.append(str(Path(__file__).resolve().parents[2]))

from shared.tables.reader import read_table
from shared.tables.table import TableData, UnsupportedFormat, Unusable

MAX_MEMORY_BYTES: Final = 384 * 1024 * 1024
MAX_PROCESSOR_SECONDS: Final = 10
_NICE: Final = 10
_FRAME_CELLS: Final = 500
"""A frame is decoded by the service in one go, about 0.1 ms for so many cells."""


def limit_process() -> None:
    """Bound what this process may use; what a system does not know is left out."""
    for kind, limit in (
        (resource.RLIMIT_AS, MAX_MEMORY_BYTES),
        (resource.RLIMIT_CPU, MAX_PROCESSOR_SECONDS),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        with contextlib.suppress(ValueError, OSError):
            hard = resource.getrlimit(kind)[1]
            lowest = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
            resource.setrlimit(kind, (lowest, lowest))
    with contextlib.suppress(OSError):
        # Where memory is short this process is ended, and not the service.
        Path("/proc/self/oom_score_adj").write_text("1000")
    with contextlib.suppress(OSError):
        os.nice(_NICE)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Read the options, one line of JSON, and the file from `source`; write frames to `sink`."""
    options = json.loads(source.readline())
    try:
        table = read_table(source.read(), options["most_rows"], options["charset"])
    except Unusable as fault:
        _write(sink, {"unusable": _described(fault)})
    except MemoryError:
        _write(sink, {"unusable": ["limit_memory", None, str(MAX_MEMORY_BYTES // 1024**2), False]})
    else:
        _write_table(sink, table)
    sink.flush()


def _described(fault: Unusable) -> list[object]:
    return [fault.code, fault.row, fault.found, isinstance(fault, UnsupportedFormat)]


def _write_table(sink: BinaryIO, table: TableData) -> None:
    rows: list[object] = []
    cells = 0
    for number, row in table.rows.items():
        faults = [(fault.code, fault.column, fault.found) for fault in table.faults.get(number, ())]
        rows.append((number, row, faults))
        cells += len(row)
        if cells >= _FRAME_CELLS:
            _write(sink, {"rows": rows})
            rows, cells = [], 0
    _write(sink, {"rows": rows})
    about = {
        name: getattr(table, name)
        for name in ("header", "header_row", "encoding", "delimiter", "sheet", "hidden_sheets")
    }
    _write(sink, {"table": about})


def _write(sink: BinaryIO, frame: object) -> None:
    payload = json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()
    sink.write(struct.pack(">I", len(payload)) + payload)


if __name__ == "__main__":
    limit_process()
    serve(sys.stdin.buffer, sys.stdout.buffer)
