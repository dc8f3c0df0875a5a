"""Prints the results of a verification and of an erasure in the terminal's language."""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

from deploy.common.screen import Screen
from deploy.common.words import say
from shared.audit.verification import Altered, ChainReport


def show_verdicts(
    console: Screen, verdicts: Mapping[str, ChainReport], anchor: Path | None
) -> None:
    """Print for each service how much of its history is unaltered, and the first alteration."""
    for service, verdict in verdicts.items():
        counts = {
            "seals": verdict.seals,
            "events": verdict.events,
            "erased": verdict.erased,
            "unsealed": verdict.unsealed,
        }
        if verdict.altered is None:
            console.write_line(f"✓ {say('audit.right', service=service, **counts)}", "green")
        else:
            console.write_line(f"✗ {service}: {_description(verdict.altered)}", "bold red")
            so_far = say("audit.so_far", seals=verdict.seals, events=verdict.events)
            console.write_line(f"  {so_far}")
    if anchor is not None:
        console.write_line(say("audit.anchored", file=anchor))


def _description(altered: Altered) -> str:
    return say(f"audit.{altered.key}", seal=altered.seal, seq=altered.seq or 0)


def show_erased(console: Screen, request_id: UUID, erased: Mapping[str, Mapping[str, int]]) -> None:
    """Print how many rows of each table were erased, by service."""
    for service, tables in erased.items():
        counts = ", ".join(f"{table} {count}" for table, count in tables.items())
        said = (
            say("erase.done", service=service, counts=counts)
            if counts
            else say("erase.nothing_left", service=service)
        )
        console.write_line(said)
    console.write_line(say("erase.elsewhere", request=request_id))
