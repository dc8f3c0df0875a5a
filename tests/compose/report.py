"""What is said of a run: a line for each step with how long it took, and everything that was found wrong."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(slots=True)
class Report:
    """The lines so far went to the terminal; `bad` counts what must not have been."""

    bad: int = 0

    def say(self, line: str) -> None:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    def step(self, name: str, work: Callable[[], object]) -> None:
        """Do a step, and say how long it took and what it says of itself."""
        begun = time.monotonic()
        done = work()
        self.took(begun, f"{name}  {done}" if isinstance(done, str) else name)

    def took(self, begun: float, name: str) -> None:
        """Say that something has taken the time since `begun`."""
        self.say(f"{time.monotonic() - begun:7.1f} s  {name}")

    def found(self, wrong: Sequence[str]) -> None:
        """Count and say what is wrong."""
        self.bad += len(wrong)
        for line in wrong:
            self.say(f"           {line}")
