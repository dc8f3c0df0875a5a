"""Prints the launcher's reports to a terminal."""

import time
from collections.abc import Mapping
from typing import Any

from rich.status import Status
from rich.table import Table

from deploy.common.screen import Screen, cell
from deploy.common.trouble import Trouble
from deploy.common.words import say, say_trouble
from deploy.local.launcher.report import Failed, Note, Progress, Ready, Report, Step

QUARTERS = 4


class Terminal:
    """Prints one line for each step; on a real terminal the present line is updated."""

    def __init__(self, console: Screen) -> None:
        self._console = console
        self._status: Status | None = None
        self._words = ""
        self._begun = 0.0
        self._quarter = 0

    def __call__(self, report: Report) -> None:
        match report:
            case Step(key, params):
                self._end_step()
                self._begin_step(say(f"step.{key}", **params))
            case Progress():
                self._move(report)
            case Note(key, params):
                self._end_step()
                sign, style = ("✓", "green") if key == "part.finished" else ("!", "yellow")
                self._print(f"{sign} {say(f'note.{key}', **params)}", style)
            case Ready(endpoints, folder):
                self._end_step()
                self._show(endpoints, folder)
            case Failed(key, params):
                self._drop_step()
                show_trouble(self._console, Trouble(key, **params))

    def close(self) -> None:
        """End the present step's line."""
        self._end_step()

    def drop(self) -> None:
        """Abandon the present step's line, whatever its progress."""
        self._drop_step()

    def _begin_step(self, words: str) -> None:
        self._words, self._begun, self._quarter = words, time.monotonic(), 0
        if self._console.is_terminal:
            self._status = self._console.status(cell(words))
            self._status.start()
        else:
            self._print(f"  {words} …")

    def _move(self, come: Progress) -> None:
        if self._status and come.is_bytes:
            self._status.update(cell(f"{self._words} {come.done / 1e6:.1f}/{come.of / 1e6:.1f} MB"))
        elif self._status:
            self._status.update(cell(f"{self._words} {come.done}/{come.of}"))
        elif come.of and come.done * QUARTERS // come.of > self._quarter:
            self._quarter = come.done * QUARTERS // come.of
            self._print(f"    {100 * self._quarter // QUARTERS} %")

    def _end_step(self) -> None:
        if self._drop_step():
            took = time.monotonic() - self._begun
            self._print(f"✓ {self._words} ({took:.1f} s)", "green")

    def _drop_step(self) -> bool:
        if self._status is None:
            return False
        self._status.stop()
        self._status = None
        return True

    def _print(self, words: str, style: str = "") -> None:
        self._console.write_line(words, style)

    def _show(self, endpoints: Mapping[str, Any], folder: str) -> None:
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        others = [] if endpoints.get("kafka_sasl", "") == endpoints["kafka"] else ["kafka_sasl"]
        for part in ("web", "kafka", *(name for name in others if name in endpoints)):
            table.add_row(cell(say(f"ready.{part}")), cell(endpoints[part]))
        for role, token in endpoints["tokens"].items():
            table.add_row(cell(f"{role} {endpoints['parties'][role]}"), cell(token))
        self._print(say("ready.title"), "bold green")
        self._console.print(table)
        self._show_links(endpoints.get("links", {}))
        if not endpoints["tokens"]:
            self._print(say("ready.staff", folder=f"{folder}/tokens"))
        if "kafka_sasl" in endpoints:
            self._print(say("ready.kafka_users"))
        self._print(say("ready.endpoints", file=f"{folder}/endpoints.json"))

    def _show_links(self, links: Mapping[str, str]) -> None:
        """A line that can be clicked for each role; as a table it might be broken in two."""
        if not links:
            return
        self._print(say("ready.sign_in"), "bold")
        for role, link in links.items():
            self._print(f"  {link}  {say(f'role.{role}')}")


def show_trouble(console: Screen, trouble: Trouble) -> None:
    """Print the problem and its remedy, without a traceback."""
    what, mend = say_trouble(trouble)
    console.write_line(f"✗ {what}", "bold red")
    if words := str(trouble.params.get("words", "")).strip():
        console.write_block(words, "dim")
    console.write_line(f"→ {mend}")
