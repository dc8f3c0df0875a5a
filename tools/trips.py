"""Prints how far it is from an entry to a row: the files and the lines of the functions on each way.

python -m tools.trips

A way is a list of functions, each of which calls the next one, or is given to it as its one callback (marked `>`).
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]

RECORD: Final = (
    "shared/delivery/kafka/consumer.py:Consumer._on_records",
    "shared/delivery/kafka/consumer.py:Consumer._process_batch",
    "> shared/delivery/inbox/consumer.py:Inbound.process",
    "shared/delivery/inbox/consumer.py:Inbound._process_once",
    "shared/delivery/inbox/consumer.py:Inbound._apply",
    "shared/delivery/inbox/sequencer.py:Sequencer.follow",
)
COMMAND: Final = (
    "shared/delivery/kafka/consumer.py:Consumer._on_records",
    "shared/delivery/kafka/consumer.py:Consumer._process_batch",
    "> shared/delivery/commands/consumer.py:Commands.process",
    "shared/delivery/commands/consumer.py:Commands._process",
    "shared/delivery/commands/consumer.py:Commands._answer",
    "shared/delivery/commands/consumer.py:Commands._perform",
)
ACCEPT: Final = (
    "services/routing/api/offers.py:_accept",
    "shared/http/writes/idempotency.py:run_once",
    "services/routing/handlers/commands/answers.py:accept_offer",
    "services/routing/handlers/changes/persisting.py:place_and_persist",
    "services/routing/store/matters.py:update_matters",
)
STEP: Final = (
    "services/followup/api/steps/entry.py:handled_by",
    "services/followup/api/edge.py:perform",
    "services/followup/handlers/steps.py:perform_step",
    "services/followup/handlers/saving.py:save",
    "services/followup/store/matters.py:update_matters",
)
TRIPS: Final[Mapping[str, Sequence[str]]] = {
    "POST of a request": (
        "services/intake/api/submissions.py:submit",
        "shared/http/writes/group_commit.py:Batcher.submit",
        "services/intake/handlers/registration.py:register",
        "services/intake/store/requests.py:insert_requests",
        "shared/delivery/outbox/recording.py:record",
    ),
    "a record in routing": (
        *RECORD,
        "> services/routing/handlers/batches.py:apply_requests",
        "services/routing/handlers/changes/persisting.py:place_and_persist",
        "services/routing/store/matters.py:insert_matters",
    ),
    "a record in followup": (
        *RECORD,
        "> services/followup/handlers/batches/matters.py:apply_batch",
        "services/followup/handlers/saving.py:save",
        "services/followup/store/matters.py:update_matters",
    ),
    "an accepted offer by HTTP": ("shared/http/writes/steps.py:_endpoint", *ACCEPT),
    "an accepted offer by Kafka": (*COMMAND, *ACCEPT),
    "a step on a matter by HTTP": ("shared/http/writes/steps.py:_endpoint", *STEP),
    "a limit that ran out": (
        "services/followup/timers.py:Timers.sweep",
        "services/followup/handlers/sweep.py:sweep",
        "services/followup/handlers/saving.py:save",
        "services/followup/store/matters.py:update_matters",
    ),
    "the live page": (
        "services/desk/pages/live/routes.py:live",
        "services/desk/pages/live/updates.py:Live.board",
        "services/desk/clients/overview.py:load_overview",
        "services/desk/clients/services.py:Services.get",
        "services/followup/api/overview.py:show_overview",
        "services/followup/handlers/glance.py:load_glance",
        "services/followup/store/glance.py:count_states",
    ),
}


@dataclass(frozen=True, slots=True)
class Trip:
    """One way: its files, the lines of its functions, and how many of its steps are callbacks."""

    files: int
    lines: int
    callbacks: int


def measure(way: Sequence[str]) -> Trip:
    """What a way comes to. Raises LookupError for a function that there is not."""
    places = [step.removeprefix("> ") for step in way]
    return Trip(
        len({place.partition(":")[0] for place in places}),
        sum(_lines(place) for place in places),
        sum(step.startswith("> ") for step in way),
    )


def _lines(place: str) -> int:
    file, _, name = place.partition(":")
    node: ast.AST = ast.parse((ROOT / file).read_text("utf-8"))
    for part in name.split("."):
        node = _inner(node, part, place)
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)  # noqa: S101 - narrows the type
    return (node.end_lineno or 0) - node.lineno + 1


def _inner(node: ast.AST, name: str, place: str) -> ast.AST:
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for inner in ast.walk(node):
        if isinstance(inner, kinds) and inner.name == name:
            return inner
    raise LookupError(f"there is no {place}")


def main() -> None:
    """Print a line for each way."""
    print(f"{'from entry to row':32} {'files':>5} {'lines':>5} {'callbacks':>9}")  # noqa: T201
    for name, way in TRIPS.items():
        trip = measure(way)
        print(f"{name:32} {trip.files:5} {trip.lines:5} {trip.callbacks:9}")  # noqa: T201


if __name__ == "__main__":
    main()
