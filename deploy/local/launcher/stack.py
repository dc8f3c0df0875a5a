"""Starts the parts of one stack in order, supervises them and stops them."""

import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType, ModuleType
from typing import Any

from deploy.common import desk_key, tokens
from deploy.common.folder import Folder, write_json
from deploy.common.trouble import Trouble
from deploy.common.words import tongue
from deploy.jobs.migrations import SERVICES
from deploy.local.embedded.environment import service_environment
from deploy.local.embedded.ports import LOOPBACK, is_free
from deploy.local.embedded.process import Identity, Program, identity, wait_ready
from deploy.local.embedded.supervisor import (
    Died,
    Happening,
    Restarted,
    SupervisedProgram,
    Supervisor,
)
from deploy.local.launcher import running
from deploy.local.launcher.report import Note, Ready, Step, Tell
from deploy.local.launcher.servers import START_SECONDS, Memory, Servers, start_on_free_port
from deploy.local.launcher.services import Surroundings, alone, origin, reconcile, together
from deploy.local.launcher.sign_in_links import make_links

TICK_SECONDS = 0.25
ROTATE_SECONDS = 10.0
PLAYER = "demo"
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Options of `liaison up`. `port`: None is the default or any free one, 0 any free one."""

    folder: Folder
    demo: bool = False
    port: int | None = None
    isolated: bool = False


class Stopped(KeyboardInterrupt):
    """The launcher was asked to stop."""


def run(wanted: Wanted, tell: Tell) -> None:
    """Start the stack, keep it running until a signal asks to stop, then stop it.

    Call it from the main thread. Raises Trouble when the stack could not be brought up, or Stopped
    when it was told to stop before it was.
    """
    os.umask(0o077)  # Of this process and all that it starts.
    wanted.folder.make()
    try:
        with wanted.folder.held():
            _Stack(wanted, tell).run()
    except BlockingIOError as fault:
        found = running.noted(wanted.folder)
        where = found.web if found else ""
        raise Trouble("up.already", folder=wanted.folder.root, web=where) from fault


class _Stack:
    def __init__(self, wanted: Wanted, tell: Tell) -> None:
        self._wanted = wanted
        self._folder = wanted.folder
        self._tell = tell
        self._memory = Memory.of(wanted.folder)
        self._me = identity(os.getpid()) or Identity(os.getpid(), 0.0)
        self._web = ""
        self._supervisor = Supervisor(self._note)

    def _note(self, parts: Sequence[SupervisedProgram]) -> None:
        running.note(self._folder, self._me, self._web, parts)

    def run(self) -> None:
        try:
            with stopped_by(STOP_SIGNALS):
                self._clean_up_after_the_last()
                self._bring_up()
                self._watch()
        finally:
            with ignored(STOP_SIGNALS):
                self._tell(Step("stopping"))
                self._supervisor.stop()
                running.clean(self._folder)

    def _clean_up_after_the_last(self) -> None:
        if running.left_over(self._folder):
            self._tell(Step("leftovers"))
        running.clean(self._folder)
        running.note(self._folder, self._me, self._web, ())

    def _bring_up(self) -> None:
        if self._wanted.port and not is_free(self._wanted.port):
            raise Trouble("port.taken", port=self._wanted.port)
        servers = Servers(
            self._folder, self._memory, self._supervisor, self._tell, self._wanted.demo
        )
        self._make_tokens()
        around = Surroundings(
            self._folder,
            servers.database_url(),
            servers.kafka(),
            open_page=bool(tokens.sample_tokens(self._folder)),
            kafka_login=servers.kafka_login(),
        )
        self._tell(Step("services"))
        if self._wanted.isolated:
            self._start_isolated(around)
        else:
            start_on_free_port(self._supervisor, lambda: together(around, self._web_port()))
        self._supervisor.add(reconcile(around))
        endpoints = self._endpoints(around, servers.open_kafka)
        write_json(self._folder.endpoints, endpoints)
        if self._wanted.demo:
            self._play_demo(endpoints)
        if exposed := self._folder.exposed():
            self._tell(Note("folder.exposed", {"folders": ", ".join(map(str, exposed))}))
        self._tell(Ready(endpoints, str(self._folder.root)))

    def _make_tokens(self) -> None:
        desk_key.ensure(self._folder)
        tokens.ensure(self._folder, tokens.SAMPLE if self._wanted.demo else tokens.STAFF)
        if self._wanted.demo:
            tokens.ensure_everybody(self._folder, sample_town().parties())

    def _start_isolated(self, around: Surroundings) -> None:
        ports = {name: self._memory.pick(name) for name in SERVICES}
        programs = [alone(name, around, ports) for name in SERVICES]
        parts = [self._supervisor.add(program) for program in programs]
        for part in parts:
            wait_ready(part.child, part.program, START_SECONDS)
        start_on_free_port(self._supervisor, lambda: origin(around, self._web_port(), ports))

    def _web_port(self) -> int:
        port = self._wanted.port or self._memory.pick("web", any_port=self._wanted.port == 0)
        self._web = f"http://{LOOPBACK}:{port}"
        return port

    def _endpoints(self, around: Surroundings, open_kafka: str) -> dict[str, Any]:
        known = tokens.sample_tokens(self._folder)
        return {
            "web": self._web,
            "kafka": open_kafka or around.kafka.bootstrap,
            **({"kafka_sasl": around.kafka.bootstrap} if around.kafka_login else {}),
            "postgres": around.database_url,
            "tokens": known,
            "parties": {role.value: tokens.SAMPLE[role] for role in tokens.SAMPLE if role in known},
            "links": self._sign_in_links(around.database_url) if known else {},
        }

    def _sign_in_links(self, database_url: str) -> dict[str, str]:
        return make_links(database_url, self._web, sample_town().names())

    def _play_demo(self, endpoints: dict[str, Any]) -> None:
        self._tell(Step("demo"))
        try:
            sample_town().load(endpoints)
        except sample_town().NotLoaded as fault:
            raise Trouble("demo.failed", reason=fault, log=self._folder.logs) from fault
        play = ("-m", "deploy.sample_town", "play", "--endpoints", str(self._folder.endpoints))
        self._supervisor.add(
            Program(
                name=PLAYER,
                command=(sys.executable, "-P", *play),
                log=self._folder.log(PLAYER),
                env={**service_environment(), "LIAISON_LANG": tongue()},
                ready=lambda: True,
                stop_seconds=10.0,
                once=True,
            )
        )

    def _watch(self) -> None:
        rotate_at = time.monotonic()
        while True:
            # A disk that is full ends nothing: the parts are looked after again in a moment.
            with suppress(OSError):
                for happening in self._supervisor.tick():
                    self._tell(noted(happening))
                if time.monotonic() >= rotate_at:
                    rotate_at = time.monotonic() + ROTATE_SECONDS
                    self._supervisor.rotate_logs()
            time.sleep(TICK_SECONDS)


def sample_town() -> ModuleType:
    """Import the sample town lazily: it has heavy dependencies that other commands should not wait for."""
    from deploy import sample_town as loaded  # noqa: PLC0415

    return loaded


def noted(happening: Happening) -> Note:
    """Return the report of an event of the supervisor."""
    match happening:
        case Died(name, 0, None):
            return Note("part.finished", {"part": name})
        case Died(name, code, None):
            return Note("part.given_up", {"part": name, "code": code})
        case Died(name, code, delay):
            return Note("part.died", {"part": name, "code": code, "seconds": delay})
        case Restarted(name, restarts):
            return Note("part.restarted", {"part": name, "times": restarts})


@contextmanager
def stopped_by(signals: tuple[signal.Signals, ...]) -> Iterator[None]:
    """Raise Stopped at the first of `signals`, and ignore later ones."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise Stopped

    before = {each: signal.signal(each, stop) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@contextmanager
def ignored(signals: tuple[signal.Signals, ...]) -> Iterator[None]:
    """Ignore signals during an orderly stop, which has its own time limits."""
    before = {each: signal.signal(each, signal.SIG_IGN) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
