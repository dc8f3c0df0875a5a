"""Takes matters through their lives by HTTP: several people at one matter at once, each step under its own key."""

import asyncio
import itertools
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

import httpx

from tests.faults.load import AGAIN_SHARE, Load

PATIENCE_SECONDS = 90.0
LOOK_SECONDS = 0.2
WRITERS = 3
STEPS = 3
TRIES = 60
REOPENED_SHARE = 0.25
WITHDRAWN_SHARE = 0.1


@dataclass(slots=True)
class Walkers:
    """Staff and holders of receipts, one matter after the other, `load.rates.walkers` matters at a time."""

    load: Load
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)
    words: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    finished: int = 0

    async def __aenter__(self) -> Self:
        self.tasks = [asyncio.create_task(self._walk()) for _ in range(self.load.rates.walkers)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _walk(self) -> None:
        while True:
            try:
                await self._one_matter()
            except (TimeoutError, _Gone):
                continue
            except Exception as fault:
                self.load.faults.append(fault)
                raise
            self.finished += 1

    async def _one_matter(self) -> None:
        async with self.load.gate.work():
            taken = await self.load.post(next(self.load.numbers))
        if taken is None:
            return
        matter, receipt = taken["request_id"], taken["receipt"]
        if self.load.chance.random() < WITHDRAWN_SHARE:
            await self._holder(receipt, "withdraw", {"reason": "不需要了"})
            return
        await self._round(matter, receipt)
        if self.load.chance.random() < REOPENED_SHARE:
            await self._step(
                "C001", matter, "reopen", {"cause": "not_solved", "reason": "又积水了"}
            )
            await self._round(matter, receipt)

    async def _round(self, matter: str, receipt: str) -> None:
        offered = await self._until(matter, "offered")
        await self._do("C001", f"/routing/offers/{offered['offer']['offer_id']}/accept", {})
        await self._until(matter, "in_progress")
        await self._step("C001", matter, "first-contact", {})
        people = [self._tell(matter) for _ in range(WRITERS)]
        await asyncio.gather(*people, self._add_facts(receipt), self._contest(matter))
        await self._step(
            "C001",
            matter,
            "handle",
            {"outcome": "resolved", "answer": "已疏通", "path": "instant"},
        )
        await self._step(
            "C002",
            matter,
            "return-visit",
            {"reached": True, "solved": True, "satisfaction": 5, "words": "很快"},
        )

    async def _until(self, matter: str, state: str) -> dict[str, Any]:
        """The matter, as soon as followup knows it to be in this state."""
        path = f"/followup/matters/{matter}"
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                async with self.load.gate.work():
                    found = await self.load.callers.once("O001", "GET", path, {})
                if found is not None and found.is_success and found.json()["state"] == state:
                    seen: dict[str, Any] = found.json()
                    return seen
                await asyncio.sleep(LOOK_SECONDS)

    async def _tell(self, matter: str) -> None:
        for _ in range(STEPS):
            await self._worded(
                lambda words: self._step("C001", matter, "feedback", {"text": words})
            )

    async def _add_facts(self, receipt: str) -> None:
        for _ in range(STEPS):
            await self._worded(lambda words: self._holder(receipt, "messages", {"message": words}))

    async def _contest(self, matter: str) -> None:
        """Two who saw the same version both want to be first: one of them at most may be."""
        async with self.load.gate.work():
            seen = await self.load.callers.once("O001", "GET", f"/followup/matters/{matter}", {})
        if seen is None or not seen.is_success:
            return
        version = {"if-match": seen.headers.get("etag", f'"{seen.json()["version"]}"')}
        both = await asyncio.gather(
            *(
                self._worded(
                    lambda words: self._step("C001", matter, "feedback", {"text": words}, version)
                )
                for _ in range(2)
            )
        )
        if all(answer is not None and answer.is_success for answer in both):
            self.load.journal.complain(f"two writers changed {matter} from {version['if-match']}")

    async def _worded(
        self, step: Callable[[str], Awaitable[httpx.Response | None]]
    ) -> httpx.Response | None:
        """A step with words of its own, by which it is found again in the history."""
        words = f"words-{self.load.town.run}-{next(self.words)}"
        self.load.journal.step(words, "unknown")
        answer = await step(words)
        if answer is not None:
            self.load.journal.step(words, "acked" if answer.is_success else "refused")
        return answer

    async def _step(
        self,
        who: str,
        matter: str,
        name: str,
        body: dict[str, Any],
        headers: dict[str, str] | None = None,
    ) -> httpx.Response | None:
        return await self._do(who, f"/followup/matters/{matter}/{name}", body, headers)

    async def _holder(self, receipt: str, name: str, body: dict[str, Any]) -> httpx.Response | None:
        return await self._do("nobody", f"/intake/receipts/{receipt}/{name}", body)

    async def _do(
        self, who: str, path: str, body: dict[str, Any], headers: dict[str, str] | None = None
    ) -> httpx.Response | None:
        """A step under a key of its own; one of ten is sent again although it was answered."""
        keyed = {"idempotency-key": str(uuid.uuid4())} | (headers or {})
        async with self.load.gate.work():
            callers = self.load.callers
            answer = await callers.patiently(who, "POST", path, keyed, TRIES, json=body)
            if answer is None:
                raise _Gone
            if answer.is_success and self.load.chance.random() < AGAIN_SHARE:
                again = await callers.patiently(who, "POST", path, keyed, TRIES, json=body)
                if again is not None and _told(again) != _told(answer):
                    self.load.journal.complain(f"{path}: another answer to the same key")
                self.load.journal.again += 1
        return answer


class _Gone(Exception):
    """Nobody answered for so long that the walker gives its matter up."""


def _told(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, json.dumps(answer.json(), sort_keys=True)
