"""Rate limiter: a token bucket (GCRA) for each role and party, in the memory of this process."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from shared.runtime.errors import Problem

MOST_BUCKETS: Final = 10_000
BURST_SECONDS: Final = 10
_SECOND: Final = 1_000_000_000


class RateLimiter:
    """Rate limiter (GCRA) per role and party: `per_minute` sustained, bursts of up to 10 s, of one request at least.

    A bucket is the moment at which it is full again; a request moves that on by one request's share of a minute.
    """

    def __init__(self, per_minute: int, tick: Callable[[], int] = time.monotonic_ns) -> None:
        """`per_minute` is 1 or more; `tick` returns monotonic nanoseconds."""
        self._per_minute = per_minute
        self._tick = tick
        self._share = 60 * _SECOND // per_minute
        self._depth = self._share * max(1, per_minute * BURST_SECONDS // 60)
        self._full_at: OrderedDict[object, int] = OrderedDict()

    @property
    def per_minute(self) -> int:
        """The requests that each party may make in a minute."""
        return self._per_minute

    def spend(self, party: object) -> None:
        """Count one request of `party`. Raises Problem 429 above the limit, without counting."""
        self.require(party)
        self.charge(party)

    def require(self, party: object) -> None:
        """Raises Problem 429 when one more request of `party` would exceed the limit; counts nothing."""
        now = self._tick()
        late = max(self._full_at.get(party, now), now) + self._share - now - self._depth
        if late > 0:
            seconds = -(-late // _SECOND)
            raise Problem(
                429,
                "too_many_requests",
                params={"limit": self._per_minute, "seconds": seconds},
                headers={"retry-after": str(seconds)},
            )

    def charge(self, party: object) -> None:
        """Count one request of `party`, also above the limit: the next is allowed that much later."""
        now = self._tick()
        self._full_at[party] = max(self._full_at.get(party, now), now) + self._share
        self._full_at.move_to_end(party)
        if len(self._full_at) > MOST_BUCKETS:
            # Who has not asked for longest has most of a full bucket again.
            self._full_at.popitem(last=False)
