"""What the load was told, kept outside of every database: an append-only file, and the same by name in memory."""

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TextIO


@dataclass(slots=True)
class Journal:
    """Outcomes of submissions by number and of steps by name. What was never answered stays unknown."""

    file: Path
    acked: dict[int, str | None] = field(default_factory=dict)
    """Acknowledged submissions: the request's id where the answer told it (HTTP), None where Kafka took it."""
    unknown: set[int] = field(default_factory=set)
    """Submissions that were sent and never answered: each may have been taken, once."""
    refused: dict[str, int] = field(default_factory=dict)
    """Submissions by source_ref that must be refused on Kafka, with how often they were sent."""
    steps: dict[str, str] = field(default_factory=dict)
    """Words of a step (feedback, amendment) to `acked`, `unknown` or `refused`."""
    again: int = 0
    """Blind resubmissions that were answered as the first time."""
    wrong: list[str] = field(default_factory=list)
    """Answers that no promise allows: another id for the same submission, another answer for the same key."""
    order: list[int] = field(default_factory=list)
    """Acknowledged submissions, in the order in which they were."""
    opened: float = field(default_factory=time.monotonic)
    out: TextIO | None = None

    def __enter__(self) -> Self:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self.out = self.file.open("a", buffering=1)
        return self

    def __exit__(self, *_: object) -> None:
        assert self.out is not None
        self.out.close()

    def sent(self, number: int) -> None:
        """Before it is sent, so that nothing that was sent is missing here."""
        if number not in self.acked:
            self.unknown.add(number)
        self._write("sent", number)

    def ack(self, number: int, request_id: str | None, *, way: str) -> None:
        """It was answered with 2xx, or Kafka has it on enough brokers."""
        known = self.acked.get(number)
        if known is not None and request_id is not None and known != request_id:
            self.wrong.append(f"submission {number}: first {known}, then {request_id}")
        if number in self.acked:
            self.again += 1
        else:
            self.order.append(number)
        self.acked[number] = request_id or known
        self.unknown.discard(number)
        self._write("acked", number, way, request_id)

    def refuse(self, source_ref: str) -> None:
        """It was put on Kafka although it cannot be taken."""
        self.refused[source_ref] = self.refused.get(source_ref, 0) + 1
        self._write("refused", source_ref)

    def step(self, words: str, outcome: str) -> None:
        """A step with these words was sent (`unknown`), taken (`acked`) or `refused`; an acknowledgement stays."""
        if self.steps.get(words) != "acked":
            self.steps[words] = outcome
        self._write("step", words, outcome)

    def complain(self, what: str) -> None:
        """Something was answered that must never be."""
        self.wrong.append(what)
        self._write("wrong", what)

    def _write(self, *entry: object) -> None:
        line = json.dumps((round(time.monotonic() - self.opened, 3), *entry), ensure_ascii=False)
        print(line, file=self.out)
