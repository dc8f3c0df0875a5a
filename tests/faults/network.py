"""A network that can fail: a process of TCP proxies that cut, delay or swallow what passes; it knows no protocol.

    python -m tests.faults.network '{"followup": [LISTEN, TARGET], …}'

It obeys lines of JSON on its standard input, answers each with one on its output, and ends with the input.
"""

import asyncio
import itertools
import json
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import uvloop

HOST = "127.0.0.1"
MOST_HELD = 4 * 1024 * 1024


@dataclass(slots=True)
class Weather:
    """What happens on one proxied address. `up` is from the client to the server, `down` back to it."""

    delay: float = 0.0
    holding_up: bool = False
    holding_down: bool = False
    refusing: bool = False
    flows: set["Flow"] = field(default_factory=set)

    def clear(self) -> None:
        self.delay, self.holding_up, self.holding_down, self.refusing = 0.0, False, False, False
        for flow in list(self.flows):
            flow.flush()


class Flow:
    """One direction of one connection: keeps the order of the bytes whatever the weather."""

    def __init__(self, weather: Weather, upwards: bool) -> None:
        self.weather = weather
        self.upwards = upwards
        self.source: Any = None
        self.sink: Any = None
        self.held: deque[tuple[float, bytes]] = deque()
        self.size = 0
        self.ended = False
        self.dead = False
        self.paused = False
        self.waiting: asyncio.TimerHandle | None = None

    @property
    def holding(self) -> bool:
        return self.weather.holding_up if self.upwards else self.weather.holding_down

    def feed(self, data: bytes) -> None:
        if self.dead or (self.sink is not None and self.sink.is_closing()):
            return
        if not self.held and not self.holding and not self.weather.delay and self.sink is not None:
            self.sink.write(data)
            return
        # Later bytes never leave before earlier ones, though the delay may have become shorter.
        earliest = self.held[-1][0] if self.held else 0.0
        self.held.append((max(earliest, time.monotonic() + self.weather.delay), data))
        self.size += len(data)
        if self.size > MOST_HELD and self.source is not None:
            self.source.pause_reading()
            self.paused = True
        self.flush()

    def flush(self) -> None:
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None
        if self.holding or self.sink is None or self.sink.is_closing():
            return
        now = time.monotonic()
        while self.held and self.held[0][0] <= now:
            _, data = self.held.popleft()
            self.size -= len(data)
            self.sink.write(data)
        if self.held:
            wait = self.held[0][0] - now
            self.waiting = asyncio.get_running_loop().call_later(wait, self.flush)
            return
        if self.paused and self.source is not None and not self.source.is_closing():
            self.source.resume_reading()
            self.paused = False
        if self.ended:
            self.weather.flows.discard(self)
            self.sink.close()

    def end(self) -> None:
        """Its source has gone; what it holds goes on first, so it stays known until then."""
        self.ended = True
        if self.dead or self.sink is None or self.sink.is_closing():
            self.weather.flows.discard(self)
        if not self.dead:
            self.flush()
        elif self.upwards and self.sink is not None:
            # The caller has given up by itself; a server need not keep its end for ever.
            self.sink.abort()

    def die(self) -> None:
        """Nothing goes any further, not even that an end has gone, and nobody is told."""
        self.dead = True
        self.held.clear()


class End(asyncio.Protocol):
    """One end of a proxied connection; `out` takes what it reads, `into` writes to it."""

    def __init__(self, out: Flow, into: Flow) -> None:
        self.out = out
        self.into = into

    def connection_made(self, transport: Any) -> None:
        self.out.source = transport
        self.into.sink = transport
        self.out.weather.flows.add(self.out)
        self.into.flush()

    def data_received(self, data: bytes) -> None:
        self.out.feed(data)

    def pause_writing(self) -> None:
        if self.into.source is not None:
            self.into.source.pause_reading()

    def resume_writing(self) -> None:
        if self.into.source is not None and not self.into.paused:
            self.into.source.resume_reading()

    def connection_lost(self, fault: Exception | None) -> None:
        self.out.end()


class Client(End):
    """The caller's end: it makes the connection to the server."""

    def __init__(self, weather: Weather, target: int) -> None:
        super().__init__(Flow(weather, upwards=True), Flow(weather, upwards=False))
        self.target = target
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: Any) -> None:
        if self.out.weather.refusing:
            transport.abort()
            return
        super().connection_made(transport)
        task = asyncio.create_task(self._reach(transport))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _reach(self, transport: Any) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: End(self.into, self.out), HOST, self.target)
        except OSError:
            transport.abort()


class Network:
    """The proxies by name, and what can be asked of them."""

    def __init__(self, routes: dict[str, tuple[int, int]]) -> None:
        self.routes = routes
        self.weather = {name: Weather() for name in routes}

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        for name, (listen, target) in self.routes.items():
            weather = self.weather[name]
            await loop.create_server(
                lambda weather=weather, target=target: Client(weather, target), HOST, listen
            )

    def obey(self, order: dict[str, Any]) -> Any:
        names = order.get("names") or list(self.routes)
        if order["do"] == "callers":
            return self._callers(names)
        for weather in (self.weather[name] for name in names):
            self._change(weather, order)
        return None

    def _change(self, weather: Weather, order: dict[str, Any]) -> None:
        match order["do"]:
            case "delay":
                weather.delay = float(order["seconds"])
            case "swallow" | "half":
                weather.holding_up, weather.holding_down = order["do"] == "swallow", True
            case "die":
                for flow in weather.flows:
                    flow.die()
            case "cut":
                self._cut(weather)
            case "refuse":
                weather.refusing = True
                self._cut(weather)
            case "clear":
                weather.clear()

    @staticmethod
    def _cut(weather: Weather) -> None:
        for flow in list(weather.flows):
            if flow.source is not None:
                flow.source.abort()

    def _callers(self, names: list[str]) -> dict[str, int]:
        """The caller's port by the port that its server sees."""
        flows = itertools.chain.from_iterable(self.weather[name].flows for name in names)
        return {
            str(flow.sink.get_extra_info("sockname")[1]): flow.source.get_extra_info("peername")[1]
            for flow in flows
            if flow.upwards and not flow.ended and flow.source is not None and flow.sink is not None
        }


async def main(routes: dict[str, tuple[int, int]]) -> None:
    network = Network(routes)
    await network.open()
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    answer(None)
    while line := await reader.readline():
        answer(network.obey(json.loads(line)))


def answer(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    uvloop.run(main({name: tuple(ports) for name, ports in json.loads(sys.argv[1]).items()}))
