"""Copies of folders with programs of other languages: what tools fetch and compile there stays from run to run."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from deploy.local.embedded.jars import cache_folder


def cached_copy(source: Path, name: str, fresh: Sequence[str] = ()) -> Path:
    """The copy of `source` in the cache, brought up to date; what it has in the folders `fresh` is removed before."""
    place = cache_folder() / "clients" / name
    for written in fresh:
        shutil.rmtree(place / written, ignore_errors=True)
    shutil.copytree(source, place, dirs_exist_ok=True)
    return place
