"""The desk's composition root: makes what is real and orders start and stop."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from types import MappingProxyType
from typing import Final

from fastapi import FastAPI
from starlette.types import ASGIApp

from services.desk import timers
from services.desk.api import keys
from services.desk.clients.minting import TokenMinter
from services.desk.clients.services import Services, services_at
from services.desk.clients.signing import SigningKeyFile
from services.desk.consumers import changes
from services.desk.handlers.attempts import CredentialCheck
from services.desk.handlers.changes import ChangeHub
from services.desk.handlers.own_account import OwnAccount
from services.desk.handlers.passwords import PasswordThreads
from services.desk.handlers.sessions import Sessions
from services.desk.handlers.sign_in import SignIn
from services.desk.pages import documents, me, sign_in
from services.desk.pages.live import routes as live_page
from services.desk.pages.live.updates import Live
from services.desk.pages.public import ask, receipt
from services.desk.pages.public.routes import SENDS_PER_MINUTE
from services.desk.pages.routing import show_unknown_addresses
from services.desk.pages.staff import (
    chart,
    coordinate,
    lead,
    matters,
    offers,
    search,
    stream,
    today,
)
from services.desk.pages.surroundings import Surroundings
from services.desk.settings import Settings
from shared.audit.hash_chain import SEAL_SECONDS, Sealer
from shared.auth.issuers import issuer_tasks, trusted_issuers
from shared.auth.rate_limiter import RateLimiter
from shared.auth.tokens import Tokens
from shared.calendar.china import service_calendar
from shared.delivery.outbox.relay import Relay
from shared.http.app import make_app
from shared.http.middleware.tracing import make_tracer, trace_requests
from shared.observability.tracing import Tracer
from shared.runtime.clock import Clock, clock_from
from shared.runtime.database import Database, open_database
from shared.runtime.supervisor import Health, Task, every, running

SERVICE: Final = "desk"
SOURCE: Final = "urn:liaison:desk"
ROUTES: Final = (
    keys,
    live_page,
    documents,
    sign_in,
    me,
    today,
    offers,
    stream,
    matters,
    search,
    chart,
    lead,
    coordinate,
    ask,
    receipt,
)
NO_APPS: Final[Mapping[str, ASGIApp]] = MappingProxyType({})


def build(
    settings: Settings, apps: Mapping[str, ASGIApp] = NO_APPS, clock: Clock | None = None
) -> FastAPI:
    """The app of one desk process. `apps` are the services of this process by name.

    `clock` stands in for the settings' clock in tests. Raises ValueError for services without URL or app, UnusableKeys.
    """
    now = clock or clock_from(settings.clock_file)
    signed = trusted_issuers(SERVICE, settings.issuers, now)
    tracer = make_tracer(SERVICE, settings.otlp_endpoint, settings.trace_share)
    hub = ChangeHub()
    tail = changes(settings.kafka_address, hub)
    health = Health(SERVICE, tail.hindrances)
    signing_keys = SigningKeyFile(settings.desk_key_file)
    minter = TokenMinter(signing_keys, now)
    services = services_at(settings.urls, apps, settings.services_key, minter)
    around = Surroundings(now, service_calendar(settings.calendar_file).zone)
    live = Live(services, hub, around, health.checks)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        db = await open_database(settings.database, SERVICE, max_size=settings.pool_size)
        tasks = _tasks(db, settings, now, tracer) | issuer_tasks(signed)
        tasks |= {"health": partial(health.watch, db), "changes": tail.run, "live": live.run}
        threads = _add_people(app, db, settings, now)
        async with running(SERVICE, tasks):
            yield
        await _close(threads, services, db)

    app = make_app(
        SERVICE, health, settings.tokens_file, lifespan, signed, settings.requests_per_minute
    )
    app.state.signing_keys, app.state.services = signing_keys, services
    app.state.hub, app.state.settings, app.state.surroundings = hub, settings, around
    app.state.form_limiter = RateLimiter(SENDS_PER_MINUTE)
    app.state.live_page = live_page.LivePage(live, settings.open_page)
    _include(app)
    trace_requests(app, tracer)
    return app


def _include(app: FastAPI) -> None:
    show_unknown_addresses(app)
    for routes in ROUTES:
        app.include_router(routes.router)


def _add_people(app: FastAPI, db: Database, settings: Settings, now: Clock) -> PasswordThreads:
    """Give the app its sessions and the ways to them. Returns the threads, which are the caller's to close."""
    tokens: Tokens = app.state.tokens
    threads = PasswordThreads()
    sessions = Sessions(db, now, settings.session_life, settings.idle, tokens.principal_of_hash)
    wrong = RateLimiter(settings.wrong_sign_ins_per_minute)
    check = CredentialCheck(db, now, threads, wrong)
    app.state.sessions = sessions
    app.state.sign_in = SignIn(db, now, sessions, check, tokens)
    app.state.own_account = OwnAccount(db, now, settings.idle, threads, check)
    return threads


async def _close(threads: PasswordThreads, services: Services, db: Database) -> None:
    threads.close()
    await services.close()
    await db.close()


def _tasks(db: Database, settings: Settings, now: Clock, tracer: Tracer | None) -> dict[str, Task]:
    clockwork = timers.Timers(db, now)
    return {
        "relay": Relay(db, settings.kafka_address, SOURCE, tracer).run,
        "forget": partial(every, timers.FORGET_SECONDS, clockwork.forget),
        "seal": partial(every, SEAL_SECONDS, Sealer(db).step),
    }
