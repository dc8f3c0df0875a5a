"""Plays the town's day: every request is submitted as its system does and followed to the end of its story."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx
from aiokafka.errors import KafkaError

from deploy.sample_town.arrivals import NotTaken, Post, Taken, connect, groups, post, post_batch
from deploy.sample_town.calls import Calls, Refused, read_endpoints
from deploy.sample_town.following import Follower, Stuck
from deploy.sample_town.town import Story, stories

FOLLOWED_AT_ONCE: Final = 8

FAULTS: Final = (Refused, Stuck, NotTaken, httpx.HTTPError, KafkaError)
"""What may go wrong with one request; it is told at the end and stops none of the others."""


@dataclass(slots=True)
class Played:
    """Result of a play: requests by channel and by present state, and failures.

    `steps` counts those that were taken this time.
    """

    came_by: Counter[str] = field(default_factory=Counter)
    stand: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    troubles: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stage:
    """Dependencies of the player. `room` bounds how many matters are played at once."""

    calls: Calls
    kafka: Post
    pace: float
    played: Played = field(default_factory=Played)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(FOLLOWED_AT_ONCE))


async def play(endpoints_file: Path, pace: float = 0.0) -> Played:
    """Play the town, with `pace` seconds between two arrivals and between two steps of a matter.

    Done again it takes only the steps that are missing. Raises KafkaError when the broker is away,
    OSError or ValueError when the file cannot be read.
    """
    endpoints, tokens = read_endpoints(endpoints_file)
    async with (
        Calls(str(endpoints["web"]), tokens) as calls,
        connect(str(endpoints["kafka"])) as kafka,
    ):
        stage = Stage(calls, kafka, pace)
        async with asyncio.TaskGroup() as following:
            for group in groups(stories()):
                for story, taken in await _arrive(stage, group):
                    following.create_task(_follow(stage, story, taken))
                await asyncio.sleep(pace)
    return stage.played


async def _arrive(
    stage: Stage, group: Sequence[Story]
) -> list[tuple[Story, Taken | NotTaken | None]]:
    """Submit a group. For Kafka the result is None: it arrives later."""
    first = group[0]
    try:
        if first.via == "batch":
            taken: Sequence[Taken | NotTaken | None] = await post_batch(stage.calls, group)
        elif first.via == "kafka":
            await stage.kafka.send(first)
            taken = [None]
        else:
            taken = [await post(stage.calls, first)]
    except FAULTS as fault:
        stage.played.troubles += [(story.name, _described(fault)) for story in group]
        return []
    stage.played.came_by[first.via] += len(group)
    return list(zip(group, taken, strict=True))


async def _follow(stage: Stage, story: Story, taken: Taken | NotTaken | None) -> None:
    try:
        async with stage.room:
            if taken is None:
                await stage.kafka.registered(story)
                # The same submission again gives the first answer, and with it the receipt.
                taken = await post(stage.calls, story)
            if isinstance(taken, NotTaken):
                raise taken
            followed = await Follower(stage.calls, story, taken, stage.pace).follow()
    except FAULTS as fault:
        stage.played.troubles.append((story.name, _described(fault)))
        return
    stage.played.stand[followed.state] += 1
    stage.played.steps += followed.steps


def _described(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"
