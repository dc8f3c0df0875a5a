"""What `make bench` can be asked for."""

import argparse
from collections.abc import Sequence
from pathlib import Path

# In the order of the lines that they print; each is a module here that has `measure`.
MEASUREMENTS: tuple[str, ...] = (
    "pipeline",
    "posting",
    "latency",
    "growth",
    "timers",
    "peers",
    "imports",
    "spans",
)
OUT = Path(".bench")
EPILOG = "NAME… measures these alone; --brief only shows that everything works, --long takes ten minutes for memory."


def options_of(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """What `python -m tests.bench` was asked for; exits with a message when it is nothing that it knows."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", epilog=EPILOG)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(MEASUREMENTS))
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--brief", action="store_true")
    parser.add_argument("--long", action="store_true")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - set(MEASUREMENTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    return options
