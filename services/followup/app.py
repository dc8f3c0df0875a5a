"""Followup's composition root: builds the dependencies and orders start and stop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from fastapi import FastAPI

from services.followup import timers
from services.followup.api import overview, reading, steps
from services.followup.api.edge import Edge
from services.followup.consumers import applies, publishing
from services.followup.handlers.news import MatterNews
from services.followup.handlers.office import Office
from services.followup.settings import Settings, load_limits
from shared.audit.hash_chain import SEAL_SECONDS, Sealer
from shared.audit.rows import RowSealer
from shared.auth.issuers import issuer_tasks, trusted_issuers
from shared.calendar.china import service_calendar
from shared.contracts import topics
from shared.contracts.events.published import EVENTS
from shared.delivery.commands.consumer import Commands, ServedSteps
from shared.delivery.inbox.consumer import Inbound
from shared.delivery.kafka.consumer import Consumer, hindrances
from shared.delivery.kafka.fetching import LINGER_SECONDS
from shared.delivery.kafka.losses import ReadingLog
from shared.delivery.outbox.relay import Relay
from shared.http.app import make_app
from shared.http.middleware.origins import allow_origins
from shared.http.middleware.tracing import make_tracer, trace_requests
from shared.observability.tracing import Tracer
from shared.runtime.clock import Clock, clock_from
from shared.runtime.database import Database, open_database
from shared.runtime.sampling import MEASURE_SECONDS
from shared.runtime.supervisor import Health, Task, every, running

SERVICE: Final = "followup"
SOURCE: Final = "urn:liaison:followup"


def build(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Build the app of one followup process. `clock` replaces the settings' clock in tests."""
    now = clock or clock_from(settings.clock_file)
    signed = trusted_issuers(SERVICE, settings.issuers, now)
    tracer = make_tracer(SERVICE, settings.otlp_endpoint, settings.trace_share)
    consumers: list[Consumer] = []
    health = Health(SERVICE, partial(hindrances, SERVICE, consumers))
    office = _office(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        db = await open_database(settings.database, SERVICE, max_size=settings.pool_size)
        edge = app.state.edge = Edge(db, now, office, news := MatterNews())
        served = ServedSteps(steps.COMMANDS, edge, app.state.tokens)
        commands = Commands(db, SERVICE, served, now, tracer)
        replays = {topics.COMMANDS: commands.replay}
        inbound = Inbound(db, SERVICE, applies(office, now, news), EVENTS, replays, tracer)
        consumers[:] = _consumers(settings, ReadingLog(db), inbound, commands, news)
        tasks = _tasks(db, settings, office, now, tracer) | {
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
    app.include_router(reading.router)
    app.include_router(overview.router)
    app.include_router(steps.router)
    trace_requests(app, tracer)
    allow_origins(app, settings.origins)
    return app


def _consumers(
    settings: Settings,
    reading_log: ReadingLog,
    inbound: Inbound,
    commands: Commands,
    news: MatterNews,
) -> list[Consumer]:
    kafka = settings.kafka_address
    make = partial(Consumer, kafka, reading_log=reading_log)
    return [
        make(
            SERVICE,
            inbound.topics,
            publishing(inbound.process, news),
            linger_seconds=LINGER_SECONDS,
        ),
        make(f"{SERVICE}.commands", [topics.COMMANDS], commands.process),
    ]


def _office(settings: Settings) -> Office:
    calendar = service_calendar(settings.calendar_file)
    return Office(calendar, load_limits(settings.limits_file), settings.desk)


def _tasks(
    db: Database, settings: Settings, office: Office, now: Clock, tracer: Tracer | None
) -> dict[str, Task]:
    clockwork = timers.Timers(db, office, now)
    return {
        "relay": Relay(
            db, settings.kafka_address, SOURCE, tracer, linger_seconds=LINGER_SECONDS
        ).run,
        "sweep": partial(every, timers.SWEEP_SECONDS, clockwork.sweep),
        "rescheduling": partial(every, timers.RESCHEDULE_SECONDS, clockwork.reschedule),
        "figures": partial(every, MEASURE_SECONDS, clockwork.measure),
        "forget": partial(every, timers.FORGET_SECONDS, clockwork.forget),
        "orphans": partial(every, timers.FORGET_SECONDS, clockwork.release_orphans),
        "seal": partial(every, SEAL_SECONDS, Sealer(db).step),
        "seal_rates": partial(every, SEAL_SECONDS, RowSealer(db, "tally").step),
        "words": partial(every, timers.SETTLE_SECONDS, clockwork.merge_pending_terms),
        "folding": partial(every, timers.FOLD_SECONDS, clockwork.fold_words),
    }
