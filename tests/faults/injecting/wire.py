"""What happens on the wire between the services and their servers, and to the clock that the services go by."""

import asyncio

from tests.faults.cluster import SERVICES
from tests.faults.injecting.readiness import told_not_ready
from tests.faults.stand import Stand

KAFKA = ("kafka-1", "kafka-2", "kafka-3")
POSTGRES = tuple(f"postgres-{service}" for service in SERVICES)
LOST_ANSWER_SECONDS = 0.3


async def weather(
    stand: Stand, do: str, names: tuple[str, ...], seconds: float, delay: float = 0.0
) -> None:
    """`delay`, `swallow`, `half` or `refuse` (or `die`, which lasts) for `seconds`, then as before."""
    proxies = stand.cluster.proxies
    assert proxies is not None
    await proxies.order(do, *names, seconds=delay)
    try:
        await asyncio.sleep(seconds)
        if do == "swallow":
            await told_not_ready(stand, seconds, f"while the wire to {names[0]} swallows")
    finally:
        await proxies.order("clear", *names)


async def answers_lost(stand: Stand, names: tuple[str, ...], times: int) -> None:
    """What is asked arrives, the answer does not, and the connection is cut: nobody knows what was committed."""
    proxies = stand.cluster.proxies
    assert proxies is not None
    for _ in range(times):
        await proxies.order("half", *names)
        await asyncio.sleep(LOST_ANSWER_SECONDS)
        await proxies.order("cut", *names)
        await proxies.order("clear", *names)
        await asyncio.sleep(1 - LOST_ANSWER_SECONDS)


async def clock_set(stand: Stand, shift: float, seconds: float) -> None:
    """The services' clock is set by `shift` seconds, and back."""
    stand.clock_file.write_text(str(shift))
    try:
        await asyncio.sleep(seconds)
    finally:
        stand.clock_file.unlink()
