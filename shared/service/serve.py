"""Runs an app by uvicorn (uvloop, httptools): trusted proxies, JSON logs, a bounded shutdown."""

import gc

import uvicorn
from starlette.types import ASGIApp

from shared.http.middleware.proxies import ForwardedMiddleware
from shared.http.server.connections import AbortableProtocol
from shared.observability.logging import configure_logging
from shared.service.settings import ServiceSettings

# A batch makes many short-lived objects and few cycles; the default (700, 10, 10) spends a quarter of its time
# looking for cycles.
GC_THRESHOLDS = (20_000, 50, 100)

# Longer than clients keep an idle connection (undici 4 s, httpx 5 s, aiohttp 15 s, Java 30 s), lest this side closes
# one while a request is sent on it: a POST then ends in an error, for no client repeats it.
KEEP_ALIVE_SECONDS = 75


def serve(
    app: ASGIApp,
    settings: ServiceSettings,
    protocol: type[AbortableProtocol] = AbortableProtocol,
) -> None:
    """Serve until SIGTERM or SIGINT; requests under way have 10 s to end."""
    configure_logging(settings.log_level)
    gc.set_threshold(*GC_THRESHOLDS)
    # What the program itself is made of stays for good: looking through it would hold everybody up for long.
    gc.collect()
    gc.freeze()
    protocol.trusted = settings.proxies
    uvicorn.run(
        ForwardedMiddleware(app, settings.proxies),
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http=protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        # It believes every process of this machine, and FORWARDED_ALLOW_IPS.
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=10,
        backlog=2048,
    )
