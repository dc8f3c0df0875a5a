"""Runs one app as a process: uvicorn with uvloop and httptools, logs as JSON, a bounded stop."""

import uvicorn
from starlette.types import ASGIApp

from shared.kit.settings import ServiceSettings
from shared.kit.telemetry import configure_logging


def serve(app: ASGIApp, settings: ServiceSettings) -> None:
    """Serve until SIGTERM or SIGINT; requests under way have 10 s to end."""
    configure_logging(settings.log_level)
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
