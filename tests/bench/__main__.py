"""`make bench`: every measurement in one run, as lines, a JSON file and a picture.

NAME… measures these alone; --brief only tries that everything works, --long takes ten minutes for memory.
"""

import importlib
import json
import logging
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import uvloop

from tests.bench.line import Line, Measure, Scope
from tests.bench.options import MEASUREMENTS, options_of
from tests.bench.picture import draw


def say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


async def run(names: list[str], out: Path, *, brief: bool, long: bool) -> list[Line]:
    """Measure each in turn; what was measured before one fails is written all the same."""
    lines: list[Line] = []
    with tempfile.TemporaryDirectory(prefix="liaison-bench-") as folder:
        for name in names:
            measure: Measure = importlib.import_module(f"tests.bench.{name}").measure
            say(f"measuring {name}")
            try:
                found = await measure(Scope(Path(folder) / name, say, brief, long))
            finally:
                write(out, lines)
                # Some gigabytes, that the next one may want.
                shutil.rmtree(Path(folder) / name, ignore_errors=True)
            lines += found
            for line in found:
                say(worded(line))
    write(out, lines)
    return lines


def worded(line: Line) -> str:
    """A line for a person: the figure, what it stands beside, and whether it is what it should be."""
    ratios = line.ratios
    beside = ", ".join(
        f"{name} {value:,.1f} (x{ratios[name]:.2f})" if name in ratios else f"{name} {value:,.1f}"
        for name, value in line.beside.items()
    )
    verdict = f"  [{line.goal}: {'yes' if line.met else 'NO'}]" if line.goal else ""
    return (
        f"({line.number}) {line.name}: {line.ours:,.1f} {line.unit}; {beside or 'alone'}{verdict}"
    )


def write(out: Path, lines: list[Line]) -> None:
    """`bench.json` and `bench.png` below `out`: the lines, and on what they were measured."""
    out.mkdir(parents=True, exist_ok=True)
    found = [asdict(line) | {"ratios": line.ratios} for line in lines]
    about = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
    }
    (out / "bench.json").write_text(
        json.dumps({"on": about, "lines": found}, indent=1, ensure_ascii=False) + "\n"
    )
    draw(lines, out / "bench.png")


def main() -> int:
    options = options_of()
    # A topic that was made a moment ago has no leader yet, which aiokafka calls an error and tries again.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    names = options.names or list(MEASUREMENTS)
    lines = uvloop.run(run(names, options.out, brief=options.brief, long=options.long))
    return 0 if all(line.met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
