"""Appends the launcher's reports to its log, with times."""

import time
from contextlib import suppress
from pathlib import Path

from deploy.local.embedded.supervisor import LOG_BYTES, rotate
from deploy.local.launcher.report import Progress, Ready, Report, encode


class Journal:
    """Appends each report to a file, without tokens."""

    def __init__(self, log: Path) -> None:
        self._log = log

    def __call__(self, report: Report) -> None:
        if isinstance(report, Progress):
            return
        line = '{"kind": "Ready"}' if isinstance(report, Ready) else encode(report)
        # A full disk ends no stack: what cannot be written is not in the journal.
        with suppress(OSError):
            self._append(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {line}\n")

    def _append(self, line: str) -> None:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        if self._log.exists() and self._log.stat().st_size > LOG_BYTES:
            rotate(self._log)
        with self._log.open("a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(line)
