"""The command line of an operator, on the servers of a test."""

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SECONDS = 100
LIAISON = Path(sys.executable).with_name("liaison")


@dataclass(frozen=True)
class Operator:
    """Runs `liaison` with the settings that the services have, and a data folder that nothing uses."""

    environment: Mapping[str, str]
    data: Path

    async def run(self, *arguments: str, **changes: str) -> str:
        """What a command says, which must succeed."""
        code, said = await self.tried(*arguments, **changes)
        assert code == 0, said
        return said

    async def tried(self, *arguments: str, **changes: str) -> tuple[int, str]:
        """A command's exit code, and what it says."""
        around = {name: v for name, v in os.environ.items() if not name.startswith("LIAISON_")}
        process = await asyncio.create_subprocess_exec(
            LIAISON,
            *arguments,
            "--data",
            self.data,
            env={**around, "LIAISON_LANG": "en", **self.environment, **changes},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(process.communicate(), SECONDS)
        return process.returncode or 0, said.decode()
