"""The sample town, loaded and played through the public interfaces alone, as another system would."""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from deploy.sample_town import loading
from deploy.sample_town.playing import Played, play
from deploy.sample_town.town import names, parties

__all__ = ["NotLoaded", "Played", "load", "names", "parties", "play"]


class NotLoaded(RuntimeError):
    """The town could not be loaded; the text names the failed call."""


def load(endpoints: Mapping[str, Any]) -> None:
    """Put the town's directory and dispatch catalogue into the stack that `endpoints.json` describes.

    Done again it changes nothing but the dates of absences. Raises NotLoaded.
    """
    try:
        asyncio.run(loading.load(endpoints))
    except (RuntimeError, httpx.HTTPError) as fault:
        raise NotLoaded(f"{type(fault).__name__}: {fault}") from fault
