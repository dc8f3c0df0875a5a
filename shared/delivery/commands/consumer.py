"""Processes commands from Kafka as the HTTP API would: same rules, same roles, idempotent by id."""

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError

from shared.auth.tokens import Principal, Tokens
from shared.contracts.events.event import Actor
from shared.contracts.events.replies import CommandDone, CommandRefused
from shared.delivery.cloudevents import Raw
from shared.delivery.commands.records import Command, read_command, refusal_of
from shared.delivery.content_modes import trace_given
from shared.delivery.inbox import letters, store
from shared.delivery.inbox.bisect import patiently
from shared.delivery.inbox.store import Letter
from shared.delivery.outbox.recording import Outgoing, record
from shared.delivery.spans import ProcessingSpans
from shared.http.problems import UNSTORABLE, invalid
from shared.http.writes.idempotency import MAX_KEY_LENGTH, WriteResponse, is_key, use_of_command
from shared.http.writes.steps import StepEntry, StepRequest
from shared.observability.redaction import reason_of
from shared.observability.tracing import Tracer, trace_of
from shared.runtime.clock import Clock
from shared.runtime.database import Connection, Database, is_transient
from shared.runtime.errors import Problem
from shared.runtime.ids import new_id

__all__ = ["Command", "Commands"]

CALL_SECONDS = 20.0

Reply = CommandDone | CommandRefused


@dataclass(frozen=True, slots=True)
class _Settled:
    """Outcome of a record, and the traceparent of its events."""

    raw: Raw
    result: Reply | Letter
    trace: str


class UnansweredCommand(TimeoutError):
    """The command could not be decided for now and is retried."""


@dataclass(frozen=True, slots=True)
class ServedSteps:
    """A service's steps by command type, the edge they run with, and who may speak for whom."""

    steps: Mapping[str, StepEntry]
    edge: object
    tokens: Tokens


class Commands:
    """Processes the commands of one service.

    Of several services routing keeps what is nobody's as a dead letter, and answers unknown types: see
    `shared.contracts.commands`.
    """

    def __init__(
        self,
        db: Database,
        service: str,
        served: "ServedSteps",
        clock: Clock,
        tracer: Tracer | None = None,
    ) -> None:
        self._db = db
        self._service = service
        self._served = served
        self._clock = clock
        self._tracer = tracer

    async def process(self, raws: Sequence[Raw]) -> None:
        """Process commands one after the other, in order, and reply to each.

        Raises what the infrastructure raises for longer than 45 s, with the commands before done and perhaps not
        yet replied to: read again, they are answered as before, by their Idempotency-Key.
        """
        taking = ProcessingSpans(self._tracer, f"liaison.{self._service}.commands")
        found = [await self._process(raw, taking) for raw in raws]
        settled = [each for each in found if each is not None]
        if settled:
            await patiently(partial(self._keep, settled), len(settled))
        taking.export()

    async def _process(self, raw: Raw, taking: ProcessingSpans) -> _Settled | None:
        found = self._read(raw)
        if found is None:
            return None
        trace = taking.record(raw)
        if not isinstance(found, Command):
            return _Settled(raw, found, trace)
        try:
            return _Settled(raw, await patiently(partial(self._answer, found, trace), 1), trace)
        except Exception as fault:
            if is_transient(fault):
                raise
            taking.fail(raw)
            letter = Letter("failed", reason_of(fault), raw, None, None)
            return _Settled(raw, letter, trace)

    async def replay(self, conn: Connection, letter: Letter) -> bool:
        """Process a dead letter again; return whether it could be answered."""
        found = self._read(letter.raw)
        if found is None or isinstance(found, Letter):
            return False
        trace = trace_of(trace_given(letter.raw))
        reply = found if isinstance(found, CommandRefused) else await self._answer(found, trace)
        await record(conn, [self._outgoing(reply, trace)])
        return True

    def _read(self, raw: Raw) -> Command | CommandRefused | Letter | None:
        return read_command(raw, self._served.steps, self._service)

    async def _answer(self, command: Command, trace: str) -> Reply:
        principal = self._served.tokens.speaker(command.source, command.party)
        if principal is None:
            return refusal_of(command, None, Problem(403, "not_a_speaker").body(command.lang))
        try:
            response = await self._perform(command, principal, trace)
        except Problem as problem:
            if problem.status == HTTPStatus.SERVICE_UNAVAILABLE:
                raise UnansweredCommand(f"{command.type} could not be decided for now") from None
            return refusal_of(command, principal, problem.body(command.lang))
        return CommandDone(
            actor=Actor(role=principal.role, party=principal.party),
            source=command.source,
            command_id=command.id,
            command_type=command.type,
            status=response.status,
            version=response.body.get("version"),
        )

    async def _perform(self, command: Command, principal: Principal, trace: str) -> WriteResponse:
        """Do what a POST of the same content by the same party would. Raises Problem when it is refused."""
        entry = self._served.steps[command.type]
        entry.caller.require_role(principal)
        path, sent = entry.path.format_map(command.ids), json.dumps(dict(command.body)).encode()
        try:
            wanted = StepRequest(
                principal,
                command.ids,
                entry.read_body(command.body, command.lang),
                use_of_command(principal, _key_of(command), path, sent),
                versions=None,
                traceparent=trace,
                lang=command.lang,
            )
            async with asyncio.timeout(CALL_SECONDS):
                return await entry.perform(self._served.edge, wanted)
        except RequestValidationError as fault:
            raise invalid(fault, command.lang) from None
        except UNSTORABLE:
            raise Problem(422, "unstorable_text") from None

    async def _keep(self, settled: Sequence[_Settled]) -> None:
        by_id = {letters.place_id(each.raw): each for each in settled}
        async with self._db.transaction() as conn:
            fresh = await store.claim(conn, list(by_id), [each.raw for each in by_id.values()])
            replies: list[Outgoing] = []
            for settling in (each for identity, each in by_id.items() if identity in fresh):
                if isinstance(settling.result, Letter):
                    await letters.bury(conn, self._service, settling.result)
                else:
                    replies.append(self._outgoing(settling.result, settling.trace))
            await record(conn, replies)

    def _outgoing(self, reply: Reply, trace: str) -> Outgoing:
        return Outgoing(f"reply-{new_id()}", 1, reply, self._clock(), traceparent=trace)


def _key_of(command: Command) -> str:
    """Return the Idempotency-Key of a command: its name, or a hash of a name that no header can carry.

    Two commands have two keys: a source with a fragment of its own is hashed too.
    """
    name = f"{command.source}#{command.id}"
    if len(name) <= MAX_KEY_LENGTH and is_key(name) and "#" not in command.source:
        return name
    return hashlib.sha256(json.dumps([command.source, command.id]).encode()).hexdigest()
