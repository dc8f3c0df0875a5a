"""Tells open pages which matters changed, so that each asks for what it shows in its reader's own name."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

MOST_NAMED: Final = 1_000
"""Matters that one page can be behind by; a page that is further behind is told that anything may have changed."""


class Subscription:
    """What changed since a page last looked."""

    def __init__(self) -> None:
        self._matters: set[str] = set()
        self._overflowed = False
        self._changed = asyncio.Event()

    def add(self, matters: Iterable[str]) -> None:
        """Note that `matters` changed, and wake the page."""
        self._matters.update(matters)
        if len(self._matters) > MOST_NAMED:
            self.overflow()
        self._changed.set()

    def overflow(self) -> None:
        """Note that anything may have changed, and wake the page."""
        self._matters.clear()
        self._overflowed = True
        self._changed.set()

    async def next(self, timeout: float) -> frozenset[str] | None:
        """Return the ids of the matters that changed, empty after `timeout` seconds without one.

        None means that too many changed to name them.
        """
        try:
            async with asyncio.timeout(timeout):
                await self._changed.wait()
        except TimeoutError:
            return frozenset()
        self._changed.clear()
        found, overflowed = frozenset(self._matters), self._overflowed
        self._matters, self._overflowed = set(), False
        return None if overflowed else found


class ChangeHub:
    """Passes changes on to every open page of this process."""

    def __init__(self) -> None:
        self._subscriptions: set[Subscription] = set()

    @contextmanager
    def subscribed(self) -> Iterator[Subscription]:
        """Give a subscription for as long as the block runs."""
        subscription = Subscription()
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)

    def publish(self, matters: Iterable[str]) -> None:
        """Tell every open page that `matters` changed."""
        named = frozenset(matters)
        for subscription in self._subscriptions:
            subscription.add(named)

    def publish_anything(self) -> None:
        """Tell every open page that anything may have changed, as after records were missed."""
        for subscription in self._subscriptions:
            subscription.overflow()
