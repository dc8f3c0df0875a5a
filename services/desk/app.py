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
from services.desk.consumers import Changes
from services.desk.handlers.attempts import CredentialCheck
from services.desk.handlers.changes import ChangeHub
from services.desk.handlers.own_account import OwnAccount
from services.desk.handlers.passwords import PasswordThreads
from services.desk.handlers.sessions import Sessions
from services.desk.handlers.sign_in import SignIn
from services.desk.pages import chart, matters, me, offers, search, sign_in, stream, today
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
NO_APPS: Final[Mapping[str, ASGIApp]] = MappingProxyType({})


def build(
    settings: Settings, apps: Mapping[str, ASGIApp] = NO_APPS, clock: Clock | None = None
) -> FastAPI:
    """The app of one desk process. `apps` are the services of this process by name.

    `clock` stands in for the settings' clock in tests. Raises ValueError where neither a URL nor `apps` says where a
    service is, UnusableKeys for a key file without a key.
    """
    now = clock or clock_from(settings.clock_file)
    signed = trusted_issuers(SERVICE, settings.issuers, now)
    tracer = make_tracer(SERVICE, settings.otlp_endpoint, settings.trace_share)
    hub = ChangeHub()
    changes = Changes(settings.kafka_address, hub)
    health = Health(SERVICE, changes.hindrances)
    signing_keys = SigningKeyFile(settings.desk_key_file)
    services = _services(settings, apps, signing_keys, now)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        db = await open_database(settings.database, SERVICE, max_size=settings.pool_size)
        tasks = _tasks(db, settings, now, tracer) | issuer_tasks(signed)
        tasks |= {"health": partial(health.watch, db), "changes": changes.run}
        threads = _add_people(app, db, settings, now)
        async with running(SERVICE, tasks):
            yield
        await _close(threads, services, db)

    app = make_app(
        SERVICE, health, settings.tokens_file, lifespan, signed, settings.requests_per_minute
    )
    app.state.signing_keys, app.state.services, app.state.hub = signing_keys, services, hub
    app.state.surroundings = Surroundings(now, service_calendar(settings.calendar_file).zone)
    _include(app)
    trace_requests(app, tracer)
    return app


def _include(app: FastAPI) -> None:
    for routes in (keys, today, offers, stream, matters, search, chart, sign_in, me):
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


def _services(
    settings: Settings, apps: Mapping[str, ASGIApp], signing_keys: SigningKeyFile, now: Clock
) -> Services:
    minter = TokenMinter(signing_keys, now)
    return services_at(settings.urls, apps, settings.services_key, minter)


def _tasks(db: Database, settings: Settings, now: Clock, tracer: Tracer | None) -> dict[str, Task]:
    clockwork = timers.Timers(db, now)
    return {
        "relay": Relay(db, settings.kafka_address, SOURCE, tracer).run,
        "forget": partial(every, timers.FORGET_SECONDS, clockwork.forget),
        "seal": partial(every, SEAL_SECONDS, Sealer(db).step),
    }
