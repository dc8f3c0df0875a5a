"""Draws a fixed number of examples from a Hypothesis strategy: the same ones in every run, to be used together."""

import threading
from typing import Any, Final, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy

SEED: Final = 20260301
"""Said in the summary of a run; a change of it makes other examples."""

Drawn = TypeVar("Drawn")


def drawn(strategy: SearchStrategy[Drawn], count: int) -> list[Drawn]:
    """`count` examples at most. Raises hypothesis.errors.Unsatisfiable where there are none.

    Never beside a running loop, in a thread of its own: Hypothesis takes any use of the process's `random` while
    it draws for the strategy's, and aiokafka picks the broker to ask for metadata by `random`.
    """
    assert threading.current_thread() is threading.main_thread()
    found: list[Any] = []

    @seed(SEED)
    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(example=strategy)
    def keep(example: Drawn) -> None:
        found.append(example)

    keep()
    return found
