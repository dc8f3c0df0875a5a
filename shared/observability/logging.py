"""Logs: one JSON object a line on standard error, without the values that an error quotes."""

import logging
import sys
import traceback

import structlog
from structlog.typing import ExcInfo, Processor

from shared.observability.printable import json_line
from shared.observability.redaction import reason_of


def configure_logging(level: str = "INFO") -> None:
    """Write one JSON object a line to standard error, the loggers of the libraries included.

    `level` is a name of the logging module; raises ValueError for any other.
    """
    lines_alone = structlog.processors.ExceptionRenderer(_lines_of)
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            *shared,
            lines_alone,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(serializer=json_line),
            foreign_pre_chain=[*shared, lines_alone],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # Their news at INFO are a line for each fetch or request.
    for noisy in ("aiokafka", "faststream", "uvicorn.access", "httpx"):
        logging.getLogger(noisy).setLevel("WARNING")


def _lines_of(exc_info: ExcInfo) -> str:
    """A traceback without the fault's own words, which may quote a value."""
    _, fault, trace = exc_info
    return "".join(traceback.format_tb(trace)) + reason_of(fault)
