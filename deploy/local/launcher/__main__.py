"""The launcher in the background: `python -m deploy.local.launcher`, as `liaison up --detach` starts it."""

import argparse
import os
import sys
from contextlib import suppress
from pathlib import Path

from deploy.common.folder import Folder
from deploy.common.streams import keep_streams
from deploy.common.trouble import Trouble
from deploy.local.embedded.environment import forget_foreign_settings
from deploy.local.launcher.journal import Journal
from deploy.local.launcher.report import Ready, Report, encode, failed
from deploy.local.launcher.stack import Stopped, Wanted, run


class Pipe:
    """Forwards reports to the terminal that started the launcher, until all is ready or the terminal has gone."""

    def __init__(self, descriptor: int) -> None:
        os.set_inheritable(descriptor, False)
        # A file name that is no UTF-8 comes through as the escapes of JSON.
        self._file = open(  # noqa: SIM115 - outlives the call
            descriptor, "w", encoding="utf-8", errors="backslashreplace"
        )

    def __call__(self, report: Report) -> None:
        if self._file.closed:
            return
        with suppress(OSError):
            self._file.write(encode(report) + "\n")
            self._file.flush()
        if isinstance(report, Ready):
            with suppress(OSError):
                self._file.close()


def main() -> int:
    """Run one stack until SIGTERM or SIGINT."""
    keep_streams()
    forget_foreign_settings(os.environ)
    parser = argparse.ArgumentParser(prog="python -m deploy.local.launcher")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--report-to", type=int, required=True)
    parser.add_argument("--port", type=int)
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--isolated", action="store_true")
    asked = parser.parse_args()
    folder = Folder.at(asked.data)
    pipe, journal = Pipe(asked.report_to), Journal(folder.log("launcher"))

    def publish(report: Report) -> None:
        journal(report)
        pipe(report)

    try:
        run(Wanted(folder, asked.demo, asked.port, asked.isolated), publish)
    except Trouble as trouble:
        publish(failed(trouble))
        return 1
    except Stopped:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
