"""Takes commands from Kafka by the same door as HTTP: one set of rules, tokens' parties, idempotency by the id."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, TypeGuard
from uuid import UUID

import httpx
import orjson
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.contracts.event import Actor
from shared.contracts.replies import CommandDone, CommandRefused
from shared.contracts.vocabulary import Role
from shared.kit import inbox, letters
from shared.kit.auth import PRINCIPAL, Principal, Tokens
from shared.kit.clock import Clock
from shared.kit.cloudevents import MAX_NAME_LENGTH, MAX_VALUE_BYTES, Raw, trace_of
from shared.kit.db import Connection, Database, is_transient
from shared.kit.events import Outgoing, record
from shared.kit.faults import reason_of
from shared.kit.ids import new_id
from shared.kit.inbox import Letter
from shared.kit.isolation import patiently
from shared.kit.problems import Problem
from shared.kit.spans import Taking
from shared.kit.tracing import Tracer

CALL_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Command:
    """One step that a system asks for in a party's name."""

    raw: Raw
    id: str
    source: str
    type: str
    party: str | None
    path: str
    body: Mapping[str, Any]


Reply = CommandDone | CommandRefused


@dataclass(frozen=True, slots=True)
class _Settled:
    """What became of a record, and the traceparent of what follows from it."""

    raw: Raw
    result: Reply | Letter
    trace: str


class Unanswered(TimeoutError):
    """The service could not decide for now; the command is tried again."""


class Commands:
    """The commands of one service: `paths` says which HTTP step each type stands for.

    `foreign` are the types that are another service's. One service names them, and keeps what is nobody's as a
    dead letter; to the others (None) everything that is not theirs is somebody else's.
    """

    def __init__(
        self,
        db: Database,
        service: str,
        app: FastAPI,
        clock: Clock,
        paths: Mapping[str, str],
        foreign: Collection[str] | None = None,
    ) -> None:
        self._db = db
        self._service = service
        self._app = app
        self._clock = clock
        self._paths = paths
        self._foreign = foreign

    async def take(self, raws: Sequence[Raw]) -> None:
        """Take commands one after the other, in their order, and reply to each.

        Raises what the infrastructure raises for longer than 45 s, with the commands before done and perhaps not
        yet replied to: read again, they are answered as before, by their Idempotency-Key.
        """
        tracer: Tracer | None = self._app.state.tracer
        taking = Taking(tracer, f"liaison.{self._service}.commands")
        found = [await self._settle(raw, taking) for raw in raws]
        settled = [each for each in found if each is not None]
        if settled:
            await patiently(partial(self._keep, settled), len(settled))
        taking.tell()

    async def _settle(self, raw: Raw, taking: Taking) -> _Settled | None:
        found = self._read(raw)
        if found is None:
            return None
        trace = taking.record(raw)
        if isinstance(found, Letter):
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
        """Try a letter again; whether it could be answered."""
        found = self._read(letter.raw)
        if not isinstance(found, Command):
            return False
        trace = trace_of(found.raw.header("traceparent"))
        await record(conn, [self._outgoing(await self._answer(found, trace), trace)])
        return True

    def _read(self, raw: Raw) -> Command | Letter | None:
        wire_type = raw.header("ce_type") or ""
        if wire_type not in self._paths and (self._foreign is None or wire_type in self._foreign):
            return None
        command_id, source = raw.header("ce_id"), raw.header("ce_source")
        if wire_type not in self._paths or not _is_name(command_id) or not _is_name(source):
            return _letter(raw, "ce_id, ce_source and a ce_type of a command are needed")
        if raw.value is None or len(raw.value) > MAX_VALUE_BYTES:
            return _letter(raw, f"the value must be JSON of at most {MAX_VALUE_BYTES} bytes")
        try:
            data = orjson.loads(raw.value)
            if not isinstance(data, dict):
                return _letter(raw, "a command's value is a JSON object")
            body = {"matter_id": raw.header("ce_subject")} | data
            party = body.pop("party", None)
            path, rest = _fill(self._paths[wire_type], body)
        except (orjson.JSONDecodeError, ValueError) as fault:
            return _letter(raw, f"not a command: {fault}"[:500])
        return Command(raw, command_id, source, wire_type, party, path, rest)

    async def _answer(self, command: Command, trace: str) -> Reply:
        tokens: Tokens = self._app.state.tokens
        principal = tokens.speaker(command.source, command.party)
        if principal is None:
            return _refused(command, None, Problem(403, "not_a_speaker").body("zh"))
        status, document = await self._call(command, principal, trace)
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise Unanswered(f"{command.type} could not be decided for now")
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise RuntimeError(f"{command.type} got {status}")
        if status >= 300:
            return _refused(command, principal, document)
        return CommandDone(
            actor=Actor(role=principal.role, party=principal.party),
            source=command.source,
            command_id=command.id,
            command_type=command.type,
            status=status,
            version=document.get("version"),
        )

    async def _call(
        self, command: Command, principal: Principal, trace: str
    ) -> tuple[int, dict[str, Any]]:
        transport = httpx.ASGITransport(
            _speaking_as(self._app, principal), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://commands") as client:
            answer = await client.post(
                command.path,
                content=json.dumps(dict(command.body)),
                headers={
                    "content-type": "application/json",
                    "idempotency-key": _key_of(command),
                    "traceparent": trace,
                },
                timeout=CALL_SECONDS,
            )
        return answer.status_code, answer.json()

    async def _keep(self, settled: Sequence[_Settled]) -> None:
        by_id = {letters.place_id(each.raw): each for each in settled}
        async with self._db.transaction() as conn:
            fresh = await inbox.claim(conn, list(by_id), [each.raw for each in by_id.values()])
            replies: list[Outgoing] = []
            for settling in (each for identity, each in by_id.items() if identity in fresh):
                if isinstance(settling.result, Letter):
                    await letters.bury(conn, self._service, settling.result)
                else:
                    replies.append(self._outgoing(settling.result, settling.trace))
            await record(conn, replies)

    def _outgoing(self, reply: Reply, trace: str) -> Outgoing:
        return Outgoing(f"reply-{new_id()}", 1, reply, self._clock(), traceparent=trace)


def _fill(template: str, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The path with its names filled in from the body, and what is left of the body."""
    rest = dict(body)
    names = [part[1:-1] for part in template.split("/") if part.startswith("{")]
    values = {}
    for name in names:
        value = rest.pop(name, None)
        # An id in a path is a UUID; anything else could lead to another path.
        values[name] = UUID(str(value))
    rest.pop("matter_id", None)
    return template.format_map(values), rest


def _key_of(command: Command) -> str:
    """The Idempotency-Key that stands for a command: its name, or the hash of one that no header can carry."""
    name = f"{command.source}#{command.id}"
    return name[-255:] if name.isascii() else hashlib.sha256(name.encode()).hexdigest()


def _is_name(value: str | None) -> TypeGuard[str]:
    return value is not None and 0 < len(value) <= MAX_NAME_LENGTH and "\0" not in value


def _letter(raw: Raw, reason: str) -> Letter:
    return Letter("poison", reason, raw, None, None)


def _refused(
    command: Command, principal: Principal | None, document: Mapping[str, Any]
) -> CommandRefused:
    code = str(document.get("type", "")).rpartition(":")[2]
    return CommandRefused(
        actor=Actor(
            role=principal.role if principal else Role.SYSTEM,
            party=principal.party if principal else command.source,
        ),
        source=command.source,
        command_id=command.id,
        command_type=command.type,
        status=int(document.get("status", 400)),
        code=code,
        title=str(document.get("title", code)),
        detail=str(document.get("detail", code)),
        allowed_states=tuple(document.get("allowed_states", ())),
    )


def _speaking_as(app: ASGIApp, principal: Principal) -> ASGIApp:
    """The app as `principal` meets it; no request from outside can set what is set here."""

    async def speak(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, PRINCIPAL: principal}, receive, send)

    return speak
