"""Signed tokens with an issuer that answers from memory, a clock that stands still and time that is told to go on."""

from collections.abc import Callable

import httpx

from shared.auth.issuer import Issuer
from shared.auth.jwks import SigningKeys
from shared.auth.jwt import SignedTokens
from tests.support.issuing import AUDIENCE, Issuing
from tests.unit.auth.moments import Moments


class Answering:
    """What the issuer answers: its discovery document and its keys, or what it is told to instead."""

    def __init__(self, issuing: Issuing) -> None:
        self.issuing = issuing
        self.asked: list[str] = []
        self.discovery: httpx.Response | None = None
        self.instead: Callable[[], httpx.Response] | None = None

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if self.instead is not None:
            return self.instead()
        if request.url.path.endswith("openid-configuration"):
            return self.discovery or httpx.Response(200, json=self.issuing.discovery())
        return httpx.Response(200, json=self.issuing.published())


class Signing:
    """One service's signed tokens, and their issuer."""

    def __init__(self) -> None:
        self.issuing = Issuing()
        self.answering = Answering(self.issuing)
        self.moments = Moments()
        issuer = Issuer(self.issuing.name, AUDIENCE, jwks_url=f"{self.issuing.name}/keys")
        self.tokens = self.of(issuer)

    def of(self, issuer: Issuer) -> SignedTokens:
        transport = httpx.MockTransport(self.answering)
        keys = SigningKeys("test", issuer, self.moments.seconds, transport)
        return SignedTokens("test", issuer, keys, self.moments.clock)

    def token(self, **changes) -> str:
        return self.issuing.token(self.moments.clock().timestamp(), **changes)
