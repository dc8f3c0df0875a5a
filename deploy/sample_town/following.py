"""Plays one matter's story through the API; steps that were taken already are skipped."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from deploy.sample_town.arrivals import Taken
from deploy.sample_town.calls import Calls, Refused
from deploy.sample_town.steps import (
    FINAL,
    Call,
    Step,
    View,
    allows,
    call_of,
    ruling_of,
    steps_taken,
    without_visitor,
)
from deploy.sample_town.town import Story, dated

STEP_SECONDS: Final = 90.0
MOST_TURNS: Final = 100
MOST_PAGES: Final = 20
SHORTEST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 1.0
MOVED_ON: Final = frozenset({409, 412})
NO_PAGE: Final[Mapping[str, Any]] = {"items": (), "next": None}


class Stuck(Exception):
    """A matter did not reach the state of its next step; the text names its state."""


@dataclass(frozen=True, slots=True)
class Followed:
    """A matter's state after playing, and how many steps were taken now."""

    state: str
    steps: int


class Follower:
    """Plays one matter to the end of its story; `pace` is the pause between its steps in seconds."""

    def __init__(self, calls: Calls, story: Story, taken: Taken, pace: float = 0.0) -> None:
        self._calls = calls
        self._taken = taken
        self._pace = pace
        now = datetime.now(UTC)
        steps = (step if calls.tokens.complete else without_visitor(step) for step in story.steps)
        self._steps: Sequence[Step] = [dated(step, now) for step in steps if step is not None]

    async def follow(self) -> Followed:
        """Take the steps that its history lacks.

        Raises Refused for a step that is not allowed, Stuck when the matter does not move on.
        """
        sent = 0
        for _ in range(MOST_TURNS):
            view = await self._when(lambda view: view["state"] != "received", "dispatched")
            history = await self._history()
            if len(history) != view["version"]:
                continue  # It moved on between the two looks.
            # Sent with this version, so that of two who follow the same matter only one takes the step.
            done = steps_taken(self._steps, history)
            if done == len(self._steps):
                return Followed(view["state"], sent)
            step = self._steps[done]
            if allows(view, step):
                sent += await self._play_step(done, step, view)
                await asyncio.sleep(self._pace)
            elif view["state"] in FINAL:
                return Followed(view["state"], sent)
            else:
                await self._when(partial(_stands, step), step["do"])
        raise Stuck(f"not at its end after {MOST_TURNS} turns")

    async def _play_step(self, number: int, step: Step, view: View) -> bool:
        """Take a step and wait for it; False when the matter has changed meanwhile. Raises Refused, Stuck."""
        call = await self._call(step, view)
        try:
            if call is not None:
                await self._send(number, call)
                await self._when(lambda now: now["version"] > view["version"], step["do"])
                return True
        except Refused as refused:
            if refused.status not in MOVED_ON:
                raise
        await asyncio.sleep(LONGEST_PAUSE)
        return False

    async def _history(self) -> list[str]:
        """Return the types of the matter's events, oldest first."""
        path = f"/followup/matters/{self._taken.request_id}/history"
        types: list[str] = []
        asked: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = await self._calls.read(path, **asked) or NO_PAGE
            types += [item["type"] for item in page["items"]]
            if page["next"] is None:
                break
            asked = {"cursor": page["next"]}
        return types

    async def _when(self, ready: Callable[[View], bool], wanted: str) -> View:
        """Return the matter as soon as it is `ready`. Raises Stuck after `STEP_SECONDS`."""
        seen: View | None = None
        pause = SHORTEST_PAUSE
        end = time.monotonic() + STEP_SECONDS
        while time.monotonic() < end:
            seen = await self._calls.read(f"/followup/matters/{self._taken.request_id}")
            if seen is not None and ready(seen):
                return seen
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
        raise Stuck(f"{wanted}: {seen['state'] if seen else None}")

    async def _call(self, step: Step, view: View) -> Call | None:
        """Return the step's call; None for a ruling on an objection that does not exist yet."""
        if step["do"] != "ruling":
            return call_of(step, view, self._taken.receipt)
        page = await self._calls.read("/routing/objections", limit="200") or NO_PAGE
        raised = [item for item in page["items"] if item["matter_id"] == view["matter_id"]]
        return ruling_of(step, raised[0]["objection_id"]) if raised else None

    async def _send(self, number: int, call: Call) -> None:
        tokens = self._calls.tokens
        headers = {"idempotency-key": f"{self._taken.request_id}-{number}-{call.version}"}
        if call.version is not None:
            headers["if-match"] = f'"{call.version}"'
        token = tokens.acting(call.party) if call.party is not None else None
        await self._calls.write("POST", call.path, call.body, token=token, headers=headers)


def _stands(step: Step, view: View) -> bool:
    """Whether waiting for a step is over: it is possible now, or never will be."""
    return allows(view, step) or view["state"] in FINAL
