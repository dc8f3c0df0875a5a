"""`python -m tests.compose`: brings the stack up, uses it, hurts it, takes it down, and says how long each step took.

It takes the engine that `docker` finds. Images that are not there and cannot be pulled are stood in for.
"""

import argparse
import asyncio
import logging
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from deploy.jobs.access import SENDERS
from tests.compose import (
    access,
    guessing,
    hurting,
    observing,
    pages,
    poisoning,
    steps,
    tracing,
    upgrading,
)
from tests.compose.engine import Failed
from tests.compose.ground import Site, make_site, make_standins
from tests.compose.loading import Watched, during, under_load
from tests.compose.report import Report

SPAN_SECONDS = 6.0


async def hurt(site: Site, options: argparse.Namespace, report: Report) -> dict[int, str | None]:
    """Everything that is done to a stack while it is used; what had been acknowledged when it was backed up."""
    async with under_load(site, options.seed) as watched:

        async def loaded(name: str, work: Awaitable[object] | None) -> None:
            begun = time.monotonic()
            await during(watched, SPAN_SECONDS, work)
            await judge(watched, report, name, begun)

        async def tried(name: str, work: Callable[[], object]) -> None:
            await loaded(name, asyncio.to_thread(work))

        await loaded("used", None)
        await tried("routing scaled to three", lambda: steps.scale(site))
        for service in options.only or hurting.HURT:
            for name, work in hurting.kinds(site.stack, service).items():
                await tried(name, work)
        await tried("all passwords renewed", lambda: renew(site, watched))
        await tried("upgraded, old and new side by side", lambda: upgrading.upgrade(site))
        site = upgrading.upgraded(site)
        acked = dict(watched.journal.acked)
        await tried("backed up", lambda: steps.back_up(site))
        lost = watched.without_kafka(lambda: steps.lose_kafka(site))
        await loaded("kafka: its volume lost", lost)
        await judge(watched, report, "all of it checked once more", time.monotonic(), whole=True)
    return acked


def renew(site: Site, watched: Watched) -> None:
    """New passwords, of which the checker needs one and the load another."""
    steps.renew(site)
    watched.checker.url = site.database
    watched.load.kafka = site.kafka_for(SENDERS)


async def judge(
    watched: Watched, report: Report, name: str, begun: float, *, whole: bool = False
) -> None:
    finding = await watched.check(whole=whole)
    current = finding.seconds or 0.0
    acked = len(watched.journal.acked)
    report.took(begun, f"{name}  ({acked} acknowledged; current after {current:.1f} s)")
    report.found(finding.words())


def work(site: Site, options: argparse.Namespace, report: Report) -> None:
    """All steps, one after the other."""
    report.step(
        "stand-ins for what cannot be pulled:", lambda: ", ".join(make_standins()) or "none"
    )
    report.step("without a name or a password nothing starts", lambda: steps.refuse(site))
    report.step("built", lambda: steps.build(site))
    report.step("up and healthy", lambda: steps.bring_up(site))
    os.environ["SSL_CERT_FILE"] = str(site.authority)
    report.step("the sample day, through the gateway", lambda: steps.play(site))
    report.step("nobody reads or writes what is not theirs", lambda: access.check(site))
    report.step("receipts cannot be guessed at for long", lambda: guessing.check(site))
    report.step("each alert fires when it must", observing.try_alerts)
    report.step("no log names anybody", lambda: steps.read_logs(site))
    report.step("Prometheus has what alerts and dashboard ask for", lambda: observing.look(site))
    report.step("one request's trace leads to the queue", lambda: tracing.look(site))
    report.step("each section about trouble, typed", lambda: steps.look_for_trouble(site))
    acked = asyncio.run(hurt(site, options, report))
    fresh = upgrading.upgraded(site)
    # The checker of the load would take these messages for its own.
    report.step("a topic poisoned", lambda: poisoning.poison(fresh))
    report.step("no log names anybody, after all of it", lambda: steps.read_logs(fresh))
    report.step("the history is what was recorded", lambda: steps.audit(fresh))
    report.step("the database lost, and restored", lambda: steps.lose_database(fresh))
    report.found(asyncio.run(steps.compare(fresh, options.seed, acked)))
    report.step("the history is what was recorded, after it too", lambda: steps.audit(fresh))
    report.found(pages.untyped())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.compose", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))  # noqa: S311
    parser.add_argument("--only", nargs="+", choices=hurting.HURT)
    parser.add_argument("--keep", action="store_true", help="leave what is up as it is")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    report, begun = Report(), time.monotonic()
    report.say(f"seed {options.seed}")
    folder = Path(tempfile.mkdtemp(prefix="liaison-compose-"))
    folder.chmod(0o755)
    site = make_site(folder / "town", f"liaison{options.seed}")
    try:
        work(site, options, report)
    finally:
        if not options.keep:
            report.step("everything taken down", lambda: steps.take_down(site))
            shutil.rmtree(folder, ignore_errors=True)
    report.took(begun, f"all of it; lost, doubled, out of order or stuck: {report.bad}")
    return 1 if report.bad else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as fault:
        sys.exit(f"failed: {fault}")
