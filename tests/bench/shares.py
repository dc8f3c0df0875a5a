"""Where a service's time goes: sums what py-spy saw into the parts that a batch passes through.

While `python -m tests.bench pipeline` runs, for a service's process:
    py-spy record --rate 200 --format raw --output FILE --pid PID
Then `python -m tests.bench.shares FILE…` prints a row a file.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

# From the innermost frame outwards, the first that fits says which part a sample belongs to.
PARTS = (
    ("relay", r"outbox/relay\.py|outbox/packing\.py|aiokafka/producer/"),
    ("events written", r"outbox/recording\.py|handlers/events\.py"),
    ("read and validated", r"delivery/cloudevents\.py|read_submission|_read_safely"),
    ("delivery", r"delivery/inbox/\w+\.py"),
    ("rows", r"/store/"),
    ("rules", r"/(domain|handlers|catalogue)/|shared/calendar/"),
    ("Kafka in", r"aiokafka/consumer/|delivery/kafka/(consumer|unpacking|polling)\.py|faststream/"),
    ("the rest", r""),
)
# Threads without work, and the event loop waiting for some.
IDLE = re.compile(r"Condition\.wait|Queue\.get \(queue\.py|run \(asyncio/runners\.py:\d+\)$")


def part_of(stack: str) -> str | None:
    """The part that a sample belongs to; None for one of something that waits."""
    if IDLE.search(stack):
        return None
    for frame in reversed(stack.split(";")):
        for name, pattern in PARTS[:-1]:
            if re.search(pattern, frame):
                return name
    return PARTS[-1][0]


def shares(lines: Iterable[str]) -> dict[str, float]:
    """Each part's share of the samples."""
    found: Counter[str] = Counter()
    for line in lines:
        stack, _, count = line.rpartition(" ")
        if (part := part_of(stack)) is not None:
            found[part] += int(count)
    return {name: found[name] / found.total() for name, _ in PARTS}


def main(files: list[str]) -> None:
    out = ["| | " + " | ".join(name for name, _ in PARTS) + " |", "|---|" + "---|" * len(PARTS)]
    for file in files:
        row = shares(Path(file).read_text().splitlines())
        out.append(
            f"| {Path(file).stem} | " + " | ".join(f"{row[name]:.0%}" for name, _ in PARTS) + " |"
        )
    sys.stdout.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
