"""A broker of a module's own, to be taken away and brought back."""

import asyncio
import signal
import subprocess

from deploy.local.embedded.kafka import Broker
from deploy.local.embedded.process import start, wait_ready
from shared.delivery.kafka.address import KafkaAddress

# A broker may take half a minute to come back on a busy machine; a wait ends as soon as its end has come.
PATIENCE = 120.0


class Machine:
    """A broker of the module's own, to be taken away and brought back."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> KafkaAddress:
        return KafkaAddress(self.broker.address)

    def start(self) -> None:
        if self.process is None:
            self.process = start(self.broker.program())

    async def up(self) -> None:
        self.start()
        assert self.process is not None
        await asyncio.to_thread(wait_ready, self.process, self.broker.program(), PATIENCE)

    def kill(self) -> None:
        """As a power cut does it."""
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.process = None

    def silence(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGCONT)
