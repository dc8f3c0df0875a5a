"""Takes one matter through its story by public calls; a step that somebody has taken already is not taken again."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from deploy.demo.arrivals import Taken
from deploy.demo.calls import Calls, Refused
from deploy.demo.steps import (
    Call,
    Step,
    View,
    allows,
    call_of,
    is_over,
    ruling_of,
    steps_taken,
    without_visitor,
)
from deploy.demo.town import Story, dated

STEP_SECONDS: Final = 90.0
TRIES: Final = 8
MOST_PAGES: Final = 20
SHORTEST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 1.0
NO_PAGE: Final[Mapping[str, Any]] = {"items": (), "next": None}
MOVED_ON: Final = frozenset({409, 412})


class Stuck(Exception):
    """A matter did not come to where its next step is possible; the text says where it stands."""


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a matter stands after it was followed, and how many steps that took now."""

    state: str
    steps: int


@dataclass(frozen=True, slots=True)
class Follower:
    """Follows one matter to where its story ends; `pace` is how many seconds lie between its steps."""

    calls: Calls
    story: Story
    taken: Taken
    pace: float = 0.0

    async def follow(self) -> Followed:
        """Take the steps that are left, and wait for the end that they lead to.

        A matter that has all its steps behind it is left to whoever works on it by now. Raises Refused for a
        step that is not taken, Stuck when the matter does not move on.
        """
        view = await self._when(lambda view: view["state"] != "received", "dispatched")
        if self._ended(view):
            return Followed(view["state"], 0)
        left = self.story.steps[steps_taken(self.story.steps, await self._history()) :]
        first = len(self.story.steps) - len(left) + 1
        for number, step in enumerate(left, start=first):
            await self._take(number, step)
            await asyncio.sleep(self.pace)
        if left:
            view = await self._when(self._ended, self.story.ends)
        return Followed(view["state"], len(left))

    def _ended(self, view: View) -> bool:
        return bool(view["state"] == self.story.ends and view["round"] == self.story.round)

    async def _history(self) -> list[str]:
        """The types of all that happened to the matter, oldest first."""
        path = f"/followup/matters/{self.taken.request_id}/history"
        types: list[str] = []
        asked: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = await self.calls.read(path, **asked) or NO_PAGE
            types += [item["type"] for item in page["items"]]
            if page["next"] is None:
                break
            asked = {"cursor": page["next"]}
        return types

    async def _when(self, ready: Callable[[View], bool], wanted: str) -> View:
        """The matter as soon as it is `ready`. Raises Stuck after `STEP_SECONDS`."""
        seen: View | None = None
        pause = SHORTEST_PAUSE
        end = time.monotonic() + STEP_SECONDS
        while time.monotonic() < end:
            seen = await self.calls.read(f"/followup/matters/{self.taken.request_id}")
            if seen is not None and ready(seen):
                return seen
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE)
        raise Stuck(f"{wanted}: {seen['state'] if seen else None}")

    async def _take(self, number: int, told: Step) -> None:
        """Take one step as soon as the matter allows it; where the matter moved on meanwhile, look again."""
        step = told if self.calls.tokens.complete else without_visitor(told)
        if step is None:
            return
        # Dates are counted from here, so that a second try says the same as the first.
        step = dated(step, datetime.now(UTC))
        refused: Refused | None = None
        for _ in range(TRIES):
            view = await self._when(lambda view: allows(view, step), step["do"])
            try:
                if is_over(view, step) or await self._try(number, step, view):
                    return
            except Refused as no:
                if no.status not in MOVED_ON:
                    raise
                refused = no
            await asyncio.sleep(LONGEST_PAUSE)
        raise Stuck(f"{step['do']}: {refused}")

    async def _try(self, number: int, step: Step, view: View) -> bool:
        """Send the step; False when it is a ruling on an objection that is not there yet. Raises Refused."""
        if step["do"] != "ruling":
            await self._send(number, call_of(step, view, self.taken.receipt))
            return True
        page = await self.calls.read("/routing/objections", limit="200") or NO_PAGE
        raised = [item for item in page["items"] if item["matter_id"] == view["matter_id"]]
        for objection in raised[:1]:
            await self._send(number, ruling_of(step, objection["objection_id"]))
        return bool(raised)

    async def _send(self, number: int, call: Call) -> None:
        tokens = self.calls.tokens
        headers = {"idempotency-key": f"{self.taken.request_id}-{number}-{call.version}"}
        if call.version is not None:
            headers["if-match"] = f'"{call.version}"'
        token = tokens.acting(call.party) if call.party is not None else None
        await self.calls.write("POST", call.path, call.body, token=token, headers=headers)
