"""(1) beside peers: requests taken and given to somebody, by Liaison, by django-helpdesk and by an embedded Flowable.

All on one PostgreSQL with `fsync` on, each alone. Liaison and django-helpdesk are posted to over HTTP by the same
client over 32 connections; Flowable is called inside its own process by 8 threads, as it is where it is embedded.
"""

import asyncio
import json
import subprocess
import time
from typing import Any

import asyncpg

from deploy.common.trouble import Trouble
from tests.bench.ground import Ground, services, standing
from tests.bench.line import Line, Scope
from tests.bench.peers import flowable, helpdesk
from tests.bench.peers.posting import post_for
from tests.bench.town import Town

SECONDS, BRIEF_SECONDS = 20.0, 2.0
CONNECTIONS = 32
DRAIN_SECONDS = 120.0
LOOK_SECONDS = 0.02
OFFERED = "select count(*) from routing.offer where state = 'offered' and holding"


async def measure(scope: Scope) -> list[Line]:
    """Ours, then each peer that can be had here; one that cannot be had is said in the notes."""
    seconds = BRIEF_SECONDS if scope.brief else SECONDS
    beside: dict[str, float] = {}
    notes: dict[str, Any] = {}
    with standing(scope.folder) as ground:
        ours, notes["ours"] = await _ours(ground, seconds)
        scope.say(f"  ours: {ours:,.0f} a second")
        for name, peer in (("django-helpdesk", helpdesk.run), ("Flowable", flowable.run)):
            try:
                place = await ground.place(migrated=False)
                beside[name], notes[name] = await peer(place, seconds, CONNECTIONS)
            except (Trouble, OSError, RuntimeError, subprocess.SubprocessError) as fault:
                notes[name] = f"not measured: {type(fault).__name__}: {fault}"
                scope.say(f"  {name} {notes[name]}")
            else:
                scope.say(f"  {name}: {beside[name]:,.0f} a second")
    return [
        Line(
            number=1,
            name="peers: taken and given to somebody",
            unit="requests/s",
            ours=ours,
            beside=beside,
            goal="more than each peer",
            met=all(ours > rate for rate in beside.values()),
            notes=notes,
        )
    ]


async def _ours(ground: Ground, seconds: float) -> tuple[float, dict[str, Any]]:
    """Posted to intake one at a time; counted until the last of them is offered, through Kafka and all."""
    place, town = await ground.place(), Town()
    await town.settle_in(place.url)
    bodies = [json.dumps(each).encode() for each in town.submissions(50_000, place.name)]
    conn = await asyncpg.connect(place.url)
    try:
        async with services(place) as running:
            headers = {"authorization": "Bearer system"}
            target = running["intake"].address + "/intake/requests"
            begun = time.perf_counter()
            posted = await post_for(target, headers, bodies, CONNECTIONS, seconds)
            async with asyncio.timeout(DRAIN_SECONDS):
                while await conn.fetchval(OFFERED) < posted.accepted:
                    await asyncio.sleep(LOOK_SECONDS)
            spent = time.perf_counter() - begun
    finally:
        await conn.close()
    return posted.accepted / spent, {"posted": posted.noted(), "seconds_until_offered": spent}
