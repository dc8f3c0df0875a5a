"""A table as the body of a request: what may be sent, and each refusal as a problem that says what to do."""

import asyncio
from collections.abc import Mapping
from email.message import Message
from typing import Any, Final
from weakref import WeakKeyDictionary

from fastapi import Request
from starlette.requests import ClientDisconnect

from shared.http.problems import ProblemDocument, language
from shared.messages.catalogue import text
from shared.runtime.errors import FieldError, Problem, busy
from shared.tables.process import QueueFull, TableProcesses
from shared.tables.table import CellFault, TableData, UnsupportedFormat, Unusable, column_title

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV_DESCRIPTION: Final = (
    "UTF-8, GB18030 (GBK) or UTF-16 with a byte order mark; `charset` says it where the bytes may not. "
    "Comma, tab or semicolon."
)
FILE_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The file itself (`curl --data-binary @file`), no form. .xls and .ods are answered 415.",
        "content": {
            "text/csv": {"schema": {"type": "string", "description": _CSV_DESCRIPTION}},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
"""How a route that takes a table describes its body."""

NOT_READ: Final[dict[int | str, dict[str, Any]]] = {
    415: {"model": ProblemDocument, "content": {"application/problem+json": {}}}
}
"""How such a route describes its answer to a body of another kind."""

# Browsers on Windows and simple programs send CSV and XLSX under these; which of them it is, the bytes say.
_TAKEN: Final = frozenset(
    (
        "text/csv", "application/csv", "text/x-csv", "text/plain", "text/comma-separated-values",
        "text/tab-separated-values", XLSX, "application/vnd.ms-excel", "application/octet-stream",
        "application/vnd.ms-excel.sheet.macroenabled.12", "application/zip",
    )
)  # fmt: skip
_FORM: Final = "application/x-www-form-urlencoded"
_BUSY_SECONDS: Final = 5
_processes: WeakKeyDictionary[asyncio.AbstractEventLoop, TableProcesses] = WeakKeyDictionary()


async def read_upload(request: Request, most_rows: int, problem: str) -> TableData:
    """The table in the body of `request`, read in a process that ends when the client leaves.

    Raises Problem: 415 for what is no CSV or XLSX, 422 `problem` for a file that cannot be used, 503 when too many
    files wait to be read; ClientDisconnect when the client has left.
    """
    raw, lang = await request.body(), language(request)
    try:
        charset = _charset(request.headers, raw)
        return await _unless_left(request, raw, most_rows, charset)
    except QueueFull as full:
        raise busy(_BUSY_SECONDS) from full
    except UnsupportedFormat as fault:
        raise Problem(415, "table_format", errors=[_file_error(fault, lang)]) from fault
    except Unusable as fault:
        raise Problem(422, problem, errors=[_file_error(fault, lang)]) from fault


def fault_message(fault: CellFault, header: tuple[str, ...], row: int, lang: str) -> str:
    """What is wrong in a row, and what to do."""
    return text(
        f"table.{fault.code}",
        lang,
        row=row,
        column="" if fault.column is None else column_title(header, fault.column),
        found=fault.found[:100],
    )


async def _unless_left(
    request: Request, raw: bytes, most_rows: int, charset: str | None
) -> TableData:
    loop = asyncio.get_running_loop()
    processes = _processes.setdefault(loop, TableProcesses())
    reading = asyncio.create_task(processes.read(raw, most_rows, charset))
    leaving = asyncio.create_task(_left(request))
    try:
        await asyncio.wait((reading, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            raise ClientDisconnect
        return reading.result()
    finally:
        for task in (reading, leaving):
            task.cancel()
        await asyncio.gather(reading, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _charset(headers: Mapping[str, str], raw: bytes) -> str | None:
    """The charset of Content-Type. Raises UnsupportedFormat for a body that is no file of a known type."""
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise UnsupportedFormat("content_encoding", found=coding[:40])
    declared = Message()
    declared["content-type"] = headers.get("content-type", "")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data" or (kind == _FORM and not _is_no_form(raw)):
        raise UnsupportedFormat("form")
    if kind and kind not in _TAKEN and kind != _FORM:
        raise UnsupportedFormat("media_type", found=kind[:80])
    charset = declared.get_param("charset") if kind else None
    return charset if isinstance(charset, str) and charset else None


def _is_no_form(raw: bytes) -> bool:
    """Whether a body that is called a form cannot be one: curl calls every `--data-binary` so."""
    return not raw or raw.startswith(b"PK") or b"\n" in raw or b"\r" in raw


def _file_error(fault: Unusable, lang: str) -> FieldError:
    words = text(f"table.{fault.code}", lang, row=fault.row or "", column="", found=fault.found)
    return FieldError(f"/{fault.row or ''}", fault.code, words)
