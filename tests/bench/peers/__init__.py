"""Programs of others that do the same, measured in the same run; `measuring` runs them."""

from tests.bench.peers.measuring import measure

__all__ = ["measure"]
