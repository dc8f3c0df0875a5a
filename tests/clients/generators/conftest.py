"""The clients that generators make of the description, built side by side."""

import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.web.event_document import FILE as ASYNCAPI
from tests.clients.generators.generators import GENERATORS, Generator
from tests.integration.deploy.stacks import Stack
from tests.support.copies import cached_copy
from tests.support.described import FILE

BUILD_SECONDS = 420


@pytest.fixture(scope="session")
def builds(sandbox: Stack) -> Iterator[dict[str, Future[Path]]]:
    """For each language the folder with its programs, which is being built when a test first asks."""
    with ThreadPoolExecutor(2) as pool:
        languages = {each.language: each for each in GENERATORS}
        yield {name: pool.submit(_build, each) for name, each in languages.items()}
        pool.shutdown(cancel_futures=True)


def _build(generator: Generator) -> Path:
    source = Path(__file__).parent / generator.language
    # What tools write of the description does not stay.
    place = cached_copy(source, generator.language, generator.written)
    for file in (FILE, ASYNCAPI):
        shutil.copyfile(file, place / file.name)
    for command in generator.commands:
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False
        )
        assert done.returncode == 0, f"{command}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return place
