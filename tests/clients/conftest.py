"""The sample town behind its gateway, one for all clients of a run."""

from collections.abc import Iterator

import pytest

from tests.integration.deploy.stacks import Stack


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`liaison up --demo` on a free port."""
    stack = Stack(tmp_path_factory.mktemp("sandbox") / "data")
    try:
        up = stack.run("up", "--detach", "--demo", "--port", "0", seconds=300)
        assert up.code == 0, up.out + up.err
        yield stack
    finally:
        stack.down()
