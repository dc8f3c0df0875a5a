"""`python -m deploy.demo load|play --endpoints FILE`: says what is done and what came of it, and decides nothing."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from deploy.demo import load, play
from deploy.demo.calls import read_endpoints
from deploy.demo.playing import Played
from deploy.demo.town import stories
from deploy.words import tongue
from shared.kit.messages import text

MOST_TROUBLES = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two; 0 when all went as written, 1 when something did not."""
    asked = _parser().parse_args(arguments)
    console = Console()
    if asked.what == "load":
        endpoints, _ = read_endpoints(asked.endpoints)
        load(endpoints)
        console.print(_say("loaded"))
        return 0
    console.print(_say("playing", requests=len(stories())))
    played = asyncio.run(play(asked.endpoints, asked.pace))
    for line in summary(played):
        console.print(escape(line))
    return 1 if played.troubles else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo", description=_say("about"))
    what = parser.add_subparsers(dest="what", required=True)
    for name in ("load", "play"):
        one = what.add_parser(name, help=_say(f"{name}.about"))
        one.add_argument("--endpoints", type=Path, required=True, help=_say("endpoints.about"))
    what.choices["play"].add_argument("--pace", type=float, default=0.0, help=_say("pace.about"))
    return parser


def summary(played: Played) -> list[str]:
    """What came of the play, for a person: a line each, with at most `MOST_TROUBLES` of what went wrong."""
    lang = tongue()
    came = {text(f"demo.via.{via}", lang): count for via, count in sorted(played.came_by.items())}
    stand = {text(f"state.{state}", lang): count for state, count in sorted(played.stand.items())}
    lines = [
        _say("came", total=sum(played.came_by.values()), parts=_joined(came)),
        _say("stand", total=sum(played.stand.values()), steps=played.steps, parts=_joined(stand)),
    ]
    if played.troubles:
        lines.append(_say("troubles", requests=len(played.troubles)))
        lines += [f"  {name}  {what}" for name, what in played.troubles[:MOST_TROUBLES]]
    return lines


def _joined(parts: dict[str, int]) -> str:
    return " · ".join(f"{name} {count}" for name, count in parts.items())


def _say(key: str, **params: object) -> str:
    return text(f"demo.{key}", tongue(), **params)


if __name__ == "__main__":
    sys.exit(main())
