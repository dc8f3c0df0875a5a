"""`python -m deploy.sample_town load|play --endpoints FILE`: load or play the sample town."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from aiokafka.errors import KafkaError

from deploy.common.screen import Screen
from deploy.common.streams import keep_streams
from deploy.common.words import tongue
from deploy.sample_town import NotLoaded, load, play
from deploy.sample_town.calls import read_endpoints
from deploy.sample_town.playing import Played
from deploy.sample_town.town import stories
from shared.messages.catalogue import text

MOST_TROUBLES = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `load` or `play`; return 0 on success, 1 when something failed."""
    asked = _parser().parse_args(arguments)
    keep_streams()
    console = Screen()
    try:
        told, done = (_load if asked.what == "load" else _play)(asked, console)
    except (NotLoaded, KafkaError, OSError, ValueError) as fault:
        told, done = [_say("failed", reason=f"{type(fault).__name__}: {fault}")], False
    for line in told:
        console.write_line(line)
    return 0 if done else 1


def _load(asked: argparse.Namespace, console: Screen) -> tuple[list[str], bool]:
    endpoints, _ = read_endpoints(asked.endpoints)
    load(endpoints)
    return [_say("loaded")], True


def _play(asked: argparse.Namespace, console: Screen) -> tuple[list[str], bool]:
    console.write_line(_say("playing", requests=len(stories())))
    played = asyncio.run(play(asked.endpoints, asked.pace))
    return summary(played), not played.troubles


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deploy.sample_town", description=_say("about"))
    what = parser.add_subparsers(dest="what", required=True)
    for name in ("load", "play"):
        one = what.add_parser(name, help=_say(f"{name}.about"))
        one.add_argument("--endpoints", type=Path, required=True, help=_say("endpoints.about"))
    what.choices["play"].add_argument("--pace", type=float, default=0.0, help=_say("pace.about"))
    return parser


def summary(played: Played) -> list[str]:
    """Return the result of a play for a person: one line each, with at most `MOST_TROUBLES` failures."""
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
