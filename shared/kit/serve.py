"""Runs one app as a process: uvicorn with uvloop and httptools, logs as JSON, a bounded stop."""

import gc

import uvicorn
from starlette.types import ASGIApp

from shared.kit.settings import ServiceSettings
from shared.kit.telemetry import configure_logging

# A batch makes many short-lived objects and few cycles; the default (700, 10, 10) spends a quarter of its time
# looking for cycles.
GC_THRESHOLDS = (20_000, 50, 100)


def serve(app: ASGIApp, settings: ServiceSettings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way have 10 s to end."""
    configure_logging(settings.log_level)
    gc.set_threshold(*GC_THRESHOLDS)
    # What the program itself is made of stays for good: looking through it would hold everybody up for long.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        backlog=2048,
    )
