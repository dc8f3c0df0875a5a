"""Intake's composition root: builds the dependencies and orders start and stop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI

from services.intake import timers
from services.intake.api import feed, imports, receipts, submissions
from services.intake.api.edge import Edge
from services.intake.consumers import read_submission, registers_submissions
from services.intake.handlers import progress
from services.intake.handlers.feed_order import FeedSequencer
from services.intake.handlers.feed_watching import FeedWatch
from services.intake.handlers.registration import Submitted, register_together
from services.intake.settings import Settings
from shared.audit.hash_chain import SEAL_SECONDS, Sealer
from shared.auth.brute_force import BruteForceGuard
from shared.auth.issuers import issuer_tasks, trusted_issuers
from shared.contracts import topics
from shared.contracts.events.published import EVENTS
from shared.delivery.inbox.consumer import Inbound
from shared.delivery.inbox.unordered import Unordered
from shared.delivery.kafka.consumer import Consumer, hindrances
from shared.delivery.kafka.fetching import LINGER_SECONDS
from shared.delivery.kafka.losses import ReadingLog
from shared.delivery.outbox.relay import Relay
from shared.http.app import make_app
from shared.http.middleware.origins import allow_origins
from shared.http.middleware.tracing import make_tracer, trace_requests
from shared.http.writes.group_commit import Batcher
from shared.observability.tracing import Tracer
from shared.runtime.clock import Clock, clock_from
from shared.runtime.database import Database, open_database
from shared.runtime.supervisor import Health, Task, every, running

SERVICE = "intake"
SOURCE = "urn:liaison:intake"


def build(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Build the app of one intake process. `clock` replaces the settings' clock in tests."""
    now = clock or clock_from(settings.clock_file)
    signed = trusted_issuers(SERVICE, settings.issuers, now)
    tracer = make_tracer(SERVICE, settings.otlp_endpoint, settings.trace_share)
    consumers: list[Consumer] = []
    health = Health(SERVICE, partial(hindrances, SERVICE, consumers), settings.max_pending_events)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        db = await open_database(settings.database, SERVICE, max_size=settings.pool_size)
        batcher = Batcher(partial(register_together, db, now))
        brute_force_guard = BruteForceGuard(settings.wrong_receipts_per_minute)
        app.state.edge = edge = Edge(
            db, now, batcher, health, settings.max_pending_events, brute_force_guard, FeedWatch(db)
        )
        arrivals = _arrivals(db, now, tracer)
        replays = {topics.SUBMISSIONS: arrivals.replay}
        inbound = Inbound(
            db, SERVICE, {topics.MATTERS: progress.follow_matters}, EVENTS, replays, tracer
        )
        consumers[:] = _consumers(settings, ReadingLog(db), inbound, arrivals)
        tasks = _tasks(db, settings, edge, tracer) | {
            "batcher": batcher.run,
            "health": partial(health.watch, db),
            "asked": partial(every, 1.0, inbound.replay_next),
            **{consumer.group: consumer.run for consumer in consumers},
            **issuer_tasks(signed),
        }
        async with running(SERVICE, tasks):
            yield
        await db.close()

    app = make_app(
        SERVICE, health, settings.tokens_file, lifespan, signed, settings.requests_per_minute
    )
    _include(app)
    trace_requests(app, tracer)
    allow_origins(app, settings.origins)
    return app


def _include(app: FastAPI) -> None:
    # Asked for most: these are looked at first, and not through a router in between.
    app.router.routes[:0] = submissions.router.routes
    app.include_router(imports.router)
    app.include_router(receipts.router)
    app.include_router(feed.router)
    app.include_router(feed.streams)


def _arrivals(db: Database, now: Clock, tracer: Tracer | None) -> Unordered[Submitted]:
    apply, group = registers_submissions(now), f"liaison.{SERVICE}.submissions"
    return Unordered(db, SERVICE, read_submission, apply, group, tracer)


def _consumers(
    settings: Settings,
    reading_log: ReadingLog,
    inbound: Inbound,
    arrivals: Unordered[Submitted],
) -> list[Consumer]:
    kafka = settings.kafka_address
    make = partial(Consumer, kafka, reading_log=reading_log)
    return [
        make(SERVICE, inbound.topics, inbound.process, linger_seconds=LINGER_SECONDS),
        make(f"{SERVICE}.submissions", [topics.SUBMISSIONS], arrivals.process),
    ]


def _tasks(db: Database, settings: Settings, edge: Edge, tracer: Tracer | None) -> dict[str, Task]:
    clockwork = timers.Timers(db, edge.clock, lambda: edge.is_full)
    return {
        "relay": Relay(db, settings.kafka_address, SOURCE, tracer).run,
        "imports": partial(every, timers.TAKE_SECONDS, clockwork.register_rows),
        "forget": partial(every, timers.FORGET_SECONDS, clockwork.forget),
        "feed": FeedSequencer(db).run,
        "watch": edge.feed_watch.run,
        "seal": partial(every, SEAL_SECONDS, Sealer(db).step),
    }
