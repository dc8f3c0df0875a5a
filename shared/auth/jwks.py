"""The issuer's key set (JWKS): fetched at bounded intervals, kept during an outage, fetched again for an unknown
key.
"""

import asyncio
import math
import ssl
import time
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import structlog
from joserfc.errors import InvalidKeyIdError, InvalidKeyTypeError, MissingKeyError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, Key, KeyParameters, KeySet, OKPKey, RSAKey

from shared.auth.issuer import Issuer, safe_url
from shared.observability.metrics import (
    DESK_KEY_FETCHES,
    DESK_KEYS,
    ISSUER_FETCHES,
    ISSUER_KEYS,
)

log = structlog.get_logger()

REFRESH_SECONDS: Final = 300.0
PAUSE_SECONDS: Final = 10.0
START_PAUSE_SECONDS: Final = 1.0
"""Between two fetches from an issuer that starts with us, until it has answered once."""
START_FAILURES: Final = 20
"""So many of those fetches may fail before it counts as unreachable."""
FETCH_SECONDS: Final = 5.0
MAX_BYTES: Final = 1024 * 1024
MAX_KEYS: Final = 100
DISCOVERY: Final = "/.well-known/openid-configuration"
HEADERS: Final = {"accept": "application/json", "accept-encoding": "identity"}

DONE: Final = "done"
FAILED: Final = "failed"


class _VerificationKeys(JWKRegistry):
    """Imports public signing keys; every other key counts as of an unknown type."""

    # A key that both sides know (oct) would let everybody who verifies sign as well.
    key_types: dict[str, type[Key]] = {  # noqa: RUF012 - declared so by the base
        kind.key_type: kind for kind in (RSAKey, ECKey, OKPKey)
    }

    @classmethod
    def import_key(
        cls,
        data: Any,  # noqa: ANN401 - as the base has it
        key_type: str | None = None,
        parameters: KeyParameters | None = None,
    ) -> Key:
        """Raises InvalidKeyTypeError, which a key set passes over, for every key that cannot verify tokens."""
        try:
            with warnings.catch_warnings():
                # joserfc only warns of a key that is too short; such a key is refused here.
                warnings.simplefilter("error", SecurityWarning)
                key = super().import_key(data, key_type, parameters)
            key.check_use("sig")
        except Exception as fault:
            raise InvalidKeyTypeError(str(fault)) from fault
        if not key.kid:
            raise InvalidKeyTypeError("no kid")
        return key


class VerificationKeySet(KeySet):
    """A JWK set (RFC 7517) without the keys that cannot verify tokens."""

    registry_cls = _VerificationKeys

    def kids(self) -> set[str]:
        """Return the names of its keys."""
        return {str(key.kid) for key in self.keys}


class SigningKeys:
    """An issuer's keys by their `kid`, as it last published them."""

    def __init__(
        self,
        service: str,
        issuer: Issuer,
        tick: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`tick` returns monotonic seconds; `transport` replaces the network in tests."""
        self._service = service
        self._issuer = issuer
        self._tick = tick
        self._transport = transport
        self._asking = asyncio.Lock()
        self._asked_at = -math.inf
        self._away = False
        self._failures = 0
        self._keys = VerificationKeySet([])
        ours = issuer.starts_with_us
        self._count = (DESK_KEYS if ours else ISSUER_KEYS).labels(service)
        self._fetches = DESK_KEY_FETCHES if ours else ISSUER_FETCHES
        # Exported from the beginning: a figure that is not there yet looks like one that nobody measures.
        self._count.set(0)
        for result in (DONE, FAILED):
            self._fetches.labels(service, result)

    async def find(self, kid: str) -> Key | None:
        """Return the key of that name; fetch the keys for an unknown one, 10 s after the last fetch at the earliest."""
        if kid not in self._keys.kids():
            async with self._asking:
                # Whoever had the lock before has asked for all who wait.
                if self._tick() - self._asked_at >= self._pause(PAUSE_SECONDS):
                    await self._refresh()
        try:
            return self._keys.get_by_kid(kid)
        except InvalidKeyIdError:
            return None

    async def run(self) -> None:
        """Fetch the keys every 5 minutes, for ever, so that a revoked key stops counting."""
        while True:
            async with self._asking:
                await self._refresh()
            await asyncio.sleep(self._pause(REFRESH_SECONDS))

    @property
    def _is_starting(self) -> bool:
        return (
            self._issuer.starts_with_us and not self._keys.keys and self._failures < START_FAILURES
        )

    def _pause(self, usual: float) -> float:
        return START_PAUSE_SECONDS if self._is_starting else usual

    async def _refresh(self) -> None:
        self._asked_at = self._tick()
        try:
            found = await self._fetched()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as fault:
            self._fetches.labels(self._service, FAILED).inc()
            self._failures += 1
            if not self._is_starting:
                self._log_reachability(fault)
            return
        self._fetches.labels(self._service, DONE).inc()
        self._failures = 0
        self._log_reachability(None)
        if (kids := found.kids()) != self._keys.kids():
            log.info("issuer.keys", service=self._service, kids=sorted(kids))
        self._keys = found
        self._count.set(len(kids))

    def _log_reachability(self, fault: Exception | None) -> None:
        """Log when the issuer becomes unreachable and when it is back, not each failed fetch."""
        away = fault is not None
        if away and not self._away:
            log.warning(
                "issuer.away",
                service=self._service,
                issuer=self._issuer.name,
                keys=len(self._keys.kids()),
                fault=f"{type(fault).__name__}: {fault}",
            )
        elif self._away and not away:
            log.info("issuer.back", service=self._service, issuer=self._issuer.name)
        self._away = away

    async def _fetched(self) -> VerificationKeySet:
        async with asyncio.timeout(FETCH_SECONDS), self._client() as client:
            url = self._issuer.jwks_url or await self._discovered(client)
            return usable_keys(await _document(client, url))

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=self._transport,
            verify=_trust(self._issuer.ca_file),
            timeout=FETCH_SECONDS,
            headers=HEADERS,
            follow_redirects=False,
            trust_env=False,
        )

    async def _discovered(self, client: httpx.AsyncClient) -> str:
        said = await _document(client, self._issuer.name.rstrip("/") + DISCOVERY)
        if said.get("issuer") != self._issuer.name:
            raise ValueError(f"its discovery document is of {said.get('issuer')!r}")
        return safe_url(str(said.get("jwks_uri")))


@cache
def _trust(ca_file: Path | None) -> ssl.SSLContext:
    if ca_file is not None:
        return ssl.create_default_context(cafile=ca_file)
    return httpx.create_ssl_context(trust_env=False)


async def _document(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """Return the JSON object at `url`. Raises ValueError for anything else, a redirect or more than 1 MiB."""
    body = bytearray()
    async with client.stream("GET", url) as answer:
        if answer.status_code != 200:
            raise ValueError(f"{url} answered {answer.status_code}")
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > MAX_BYTES:
                raise ValueError(f"{url} answered more than {MAX_BYTES} bytes")
    found = orjson.loads(body)
    if not isinstance(found, dict):
        raise ValueError(f"{url} answered no JSON object")
    return found


def usable_keys(document: Mapping[str, Any]) -> VerificationKeySet:
    """Return the keys of a JWK set that tokens can be verified with, 100 at most; other keys are passed over.

    Raises ValueError when none is left: an issuer without keys counts as unreachable.
    """
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise ValueError("its key set has no list of keys")
    try:
        return VerificationKeySet.import_key_set({"keys": listed[:MAX_KEYS]})
    except MissingKeyError:
        raise ValueError("there is no key to verify tokens with") from None
