"""Prints an operator's results in the terminal's language."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from rich.table import Table

from deploy.common.screen import Screen, cell, grid
from deploy.common.words import say
from deploy.operations.backups.keeping import Kept, Restored, Sent
from deploy.operations.doctor import Finding

MANY = 20
MARKS = {"good": ("✓", "green"), "note": ("!", "yellow"), "bad": ("✗", "bold red")}


def show_status(console: Screen, now: Mapping[str, Any], data: Path) -> None:
    """Print the parts, then each service's lag, backlog and dead letters."""
    if not now["parts"]:
        console.write_line(say("status.nothing", folder=data))
        return
    parts = table("part", "state", "pid", "restarts")
    for part in now["parts"]:
        words, style = ("ready", "green") if part["ready"] else ("unready", "bold red")
        state = cell(say(f"status.{words}"), style)
        parts.add_row(cell(part["name"]), state, cell(part["pid"]), cell(part["restarts"]))
    console.print(parts)
    behind = table("service", "lag", "backlog", "oldest", "dead_letters")
    for service, age in now["outbox_age_s"].items():
        backlog, letters = now["backlog"][service], now["dead_letters"][service]
        lag = now["lag"].get(service, "?")
        row = (service, lag, backlog, f"{age:.1f} s", letters)
        behind.add_row(*(cell(content) for content in row))
    console.print(behind)
    if now["web"]:
        console.write_line(now["web"])


def table(*columns: str) -> Table:
    return grid(*(say(f"column.{column}") for column in columns))


def show_findings(console: Screen, findings: Sequence[Finding]) -> None:
    """Print each finding, with its remedy if it has one."""
    for finding in findings:
        mark, style = MARKS[finding.level]
        what = say(f"doctor.{finding.key}.what", **finding.params)
        console.write_line(f"{mark} {what}", style)
        if finding.level != "good":
            mend = say(f"doctor.{finding.key}.mend", **finding.params)
            console.write_line(f"  → {mend}")


def show_tokens(console: Screen, entries: Sequence[Mapping[str, Any]]) -> None:
    """Print the tokens: role, party, sources and the beginning of the hash."""
    shown = table("hash", "role", "party", "sources")
    for entry in entries:
        sources = ", ".join(entry.get("sources", ()))
        row = (entry["sha256"][:12], entry["role"], entry["party"], sources)
        shown.add_row(*(cell(content) for content in row))
    console.print(shown)


def show_accounts(console: Screen, accounts: Sequence[Mapping[str, Any]]) -> None:
    """Who may sign in with a password, and what keeps each from it."""
    if not accounts:
        console.write_line(say("accounts.none"))
        return
    made = table("login", "name", "role", "party", "second_factor", "state")
    for account in accounts:
        state = "disabled" if account["disabled"] else "usable"
        if state == "usable" and account["locked_until"] is not None:
            state = "locked"
        factor = "on" if account["second_factor"] else "off"
        row = (
            *(account[column] for column in ("login", "name", "role", "party")),
            say(f"accounts.factor.{factor}"),
            say(f"accounts.state.{state}"),
        )
        made.add_row(*(cell(content) for content in row))
    console.print(made)


def show_kafka_users(console: Screen, users: Sequence[Mapping[str, Any]]) -> None:
    """Print Kafka's users and the topics each may read."""
    if not users:
        console.write_line(say("kafka_users.none"))
        return
    made = table("user", "reads")
    for user in users:
        made.add_row(cell(user["name"]), cell(", ".join(user["topics"])))
    console.print(made)


def show_letters(console: Screen, letters: Sequence[Mapping[str, Any]]) -> None:
    """Print one line for each dead letter, newest first."""
    if not letters:
        console.write_line(say("letters.none"))
        return
    for letter in letters:
        place = f"{letter['topic']} {letter['partition']}:{letter['offset']}"
        head = f"{letter['id']}  {letter['service']}  {letter['fate']}  {place}"
        console.write_line(head, "bold")
        about = f"  {letter['last_failed_at']:%Y-%m-%d %H:%M:%S}  {letter['subject'] or ''}"
        console.write_line(about.rstrip())
        console.write_line(f"  {letter['reason']}")


def show_losses(console: Screen, losses: Sequence[Mapping[str, Any]]) -> None:
    """Print one line for each range of lost offsets, newest first."""
    if not losses:
        console.write_line(say("lost.none"))
        return
    shown = table("id", "group", "place", "first", "last", "found", "because")
    for loss in losses:
        place = f"{loss['topic']} {loss['partition']}"
        row = (
            loss["id"], loss["consumer_group"], place, loss["first_offset"], loss["last_offset"],
            f"{loss['found_at']:%Y-%m-%d %H:%M:%S}", loss["because"] or "",
        )  # fmt: skip
        shown.add_row(*(cell(content) for content in row))
    console.print(shown)


def show_results(console: Screen, outcomes: Mapping[UUID, str]) -> None:
    """Print the state of each letter after a request; above a few, the number of letters in each state."""
    if len(outcomes) > MANY:
        for outcome, count in sorted(Counter(outcomes.values()).items()):
            console.write_line(say(f"letters.{outcome}", count=count))
        return
    for letter, outcome in outcomes.items():
        console.write_line(say(f"letter.{outcome}", letter=letter))


def show_letter(console: Screen, letter: Mapping[str, Any]) -> None:
    """Print all fields of one letter; bytes that are not text as hexadecimal."""
    names, values = letter["header_names"], letter["header_values"]
    plain = {k: v for k, v in letter.items() if k not in ("header_names", "header_values", "value")}
    shown = table("field", "content")
    for name, content in plain.items():
        shown.add_row(cell(name), cell("" if content is None else readable(content)))
    for name, content in zip(names, values, strict=True):
        words = "" if content is None else readable(content)
        shown.add_row(cell(f"header {name}"), cell(words))
    console.print(shown)
    console.write_block(readable(letter["value"] or b""))


def show_backup(console: Screen, kept: Kept) -> None:
    """Print a backup's path, size and last event numbers."""
    size = kept.file.stat().st_size / 1e6
    rows = sum(rows.rows for rows in kept.manifest.tables)
    console.write_line(say("backup.done", file=kept.file, size=f"{size:.1f}", rows=rows))
    heads = ", ".join(f"{service} {head}" for service, head in kept.manifest.heads.items())
    console.write_line(say("backup.heads", heads=heads))


def show_restored(console: Screen, back: Restored, data: Path) -> None:
    """Print what was restored and the next step."""
    at = f"{back.manifest.made_at.astimezone():%Y-%m-%d %H:%M:%S %z}"
    console.write_line(say("restore.done", at=at, events=sum(back.events.values())))
    if back.read_again:
        console.write_line(say("restore.again", topics=", ".join(back.read_again)))
    if back.tokens:
        console.write_line(say("restore.tokens", folder=data))
    console.write_line(say("restore.next", folder=data))


def show_sent(console: Screen, sent: Sent) -> None:
    """Print how many events of each service were published again or are marked for it."""
    for service, events in sent.events.items():
        of = {"service": service, "events": events}
        words = say("replay.sent", **of) if sent.in_kafka else say("replay.marked", **of)
        console.write_line(words)


def readable(content: object) -> str:
    if not isinstance(content, bytes):
        return str(content)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.hex(" ")
