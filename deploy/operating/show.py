"""Shows an operator what was found, in the terminal's language; finds nothing itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.operating.doctor import Finding
from deploy.operating.keeping import Kept, Restored, Sent
from deploy.words import say

MANY = 20
MARKS = {"good": ("✓", "green"), "note": ("!", "yellow"), "bad": ("✗", "bold red")}


def show_status(console: Console, now: Mapping[str, Any], data: Path) -> None:
    """The parts, then each service's distance from the present."""
    if not now["parts"]:
        console.print(say("status.nothing", folder=data), soft_wrap=True)
        return
    parts = table("part", "state", "pid", "restarts")
    for part in now["parts"]:
        words, style = ("ready", "green") if part["ready"] else ("unready", "bold red")
        state = Text(say(f"status.{words}"), style)
        parts.add_row(part["name"], state, str(part["pid"]), str(part["restarts"]))
    console.print(parts)
    behind = table("service", "lag", "backlog", "oldest", "dead_letters")
    for service, age in now["outbox_age_s"].items():
        backlog, letters = now["backlog"][service], now["dead_letters"][service]
        lag = now["lag"].get(service, "?")
        behind.add_row(service, str(lag), str(backlog), f"{age:.1f} s", str(letters))
    console.print(behind)
    if now["web"]:
        console.print(now["web"])


def table(*columns: str) -> Table:
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        made.add_column(say(f"column.{column}"), overflow="fold")
    return made


def show_findings(console: Console, findings: Sequence[Finding]) -> None:
    """Each finding, with what to do where there is something to do."""
    for finding in findings:
        mark, style = MARKS[finding.level]
        what = say(f"doctor.{finding.key}.what", **finding.params)
        console.print(Text(f"{mark} {what}", style), soft_wrap=True)
        if finding.level != "good":
            mend = say(f"doctor.{finding.key}.mend", **finding.params)
            console.print(Text(f"  → {mend}"), soft_wrap=True)


def show_tokens(console: Console, entries: Sequence[Mapping[str, Any]]) -> None:
    """Whose tokens there are; of a token only its hash is known."""
    shown = table("hash", "role", "party", "sources")
    for entry in entries:
        sources = ", ".join(entry.get("sources", ()))
        shown.add_row(entry["sha256"][:12], entry["role"], entry["party"], sources)
    console.print(shown)


def show_letters(console: Console, letters: Sequence[Mapping[str, Any]]) -> None:
    """A line for each letter, the newest first."""
    if not letters:
        console.print(say("letters.none"))
        return
    for letter in letters:
        place = f"{letter['topic']} {letter['partition']}:{letter['offset']}"
        head = f"{letter['id']}  {letter['service']}  {letter['fate']}  {place}"
        console.print(Text(head, "bold"), soft_wrap=True)
        about = f"  {letter['last_failed_at']:%Y-%m-%d %H:%M:%S}  {letter['subject'] or ''}"
        console.print(Text(about.rstrip()), soft_wrap=True)
        console.print(Text(f"  {letter['reason']}"), soft_wrap=True)


def show_settled(console: Console, outcomes: Mapping[UUID, str]) -> None:
    """What became of each letter; of many, how many had which end."""
    if len(outcomes) > MANY:
        for outcome, count in sorted(Counter(outcomes.values()).items()):
            console.print(say(f"letters.{outcome}", count=count), soft_wrap=True)
        return
    for letter, outcome in outcomes.items():
        console.print(say(f"letter.{outcome}", letter=letter), soft_wrap=True)


def show_letter(console: Console, letter: Mapping[str, Any]) -> None:
    """All of one letter; bytes that are no text in hexadecimal."""
    names, values = letter["header_names"], letter["header_values"]
    plain = {k: v for k, v in letter.items() if k not in ("header_names", "header_values", "value")}
    shown = table("field", "content")
    for name, content in plain.items():
        shown.add_row(name, Text("" if content is None else readable(content)))
    for name, content in zip(names, values, strict=True):
        shown.add_row(f"header {name}", Text("" if content is None else readable(content)))
    console.print(shown)
    console.print(Text(readable(letter["value"] or b"")), soft_wrap=True)


def show_backup(console: Console, kept: Kept) -> None:
    """Where a backup lies and what is in it."""
    size = kept.file.stat().st_size / 1e6
    rows = sum(rows.rows for rows in kept.manifest.tables)
    console.print(say("backup.done", file=kept.file, size=f"{size:.1f}", rows=rows), soft_wrap=True)
    heads = ", ".join(f"{service} {head}" for service, head in kept.manifest.heads.items())
    console.print(say("backup.heads", heads=heads), soft_wrap=True)


def show_restored(console: Console, back: Restored, data: Path) -> None:
    """What came back, and what comes next."""
    at = f"{back.manifest.made_at.astimezone():%Y-%m-%d %H:%M:%S %z}"
    console.print(say("restore.done", at=at, events=sum(back.events.values())), soft_wrap=True)
    if back.read_again:
        console.print(say("restore.again", topics=", ".join(back.read_again)), soft_wrap=True)
    if back.tokens:
        console.print(say("restore.tokens", folder=data), soft_wrap=True)
    console.print(say("restore.next", folder=data), soft_wrap=True)


def show_sent(console: Console, sent: Sent) -> None:
    """How many events of each service were sent again, or will be."""
    for service, events in sent.events.items():
        of = {"service": service, "events": events}
        words = say("replay.sent", **of) if sent.in_kafka else say("replay.marked", **of)
        console.print(words, soft_wrap=True)


def readable(content: object) -> str:
    if not isinstance(content, bytes):
        return str(content)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.hex(" ")
