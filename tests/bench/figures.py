"""What many measured values come to."""

import statistics
from collections.abc import Iterable


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """p50, p90, p99 and the largest; empty for fewer than two values."""
    ordered = sorted(values)
    if len(ordered) < 2:
        return {}
    cuts = statistics.quantiles(ordered, n=100)
    found = {"p50": cuts[49], "p90": cuts[89], "p99": cuts[98], "max": ordered[-1]}
    return {name: round(value, 2) for name, value in found.items()}
