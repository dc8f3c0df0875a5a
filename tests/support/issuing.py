"""An issuer of signed tokens: its keys, what it publishes of them, and tokens of every kind, good or not."""

import base64
import json
import warnings
from collections.abc import Iterable
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, Key
from joserfc.jws import JWSRegistry

AUDIENCE = "liaison"
SYSTEM = {"liaison_role": "system", "liaison_party": "https://one-stop.example"}


class Issuing:
    """Signs with the last of its keys, as long as no other is named."""

    def __init__(self, name: str = "https://issuer.example/realms/town") -> None:
        self.name = name
        self.keys: dict[str, Key] = {}
        self.add("first")

    def add(self, kid: str, key: Key | None = None) -> Key:
        """Have a key more; one on P-256 if none is given."""
        found = key or ECKey.generate_key("P-256")
        self.keys[kid] = found
        return found

    def jwk(self, kid: str, **changes: Any) -> dict[str, Any]:
        return {**self.keys[kid].as_dict(private=False), "kid": kid, "use": "sig", **changes}

    def published(self) -> dict[str, Any]:
        """The JWK set."""
        return {"keys": [self.jwk(kid) for kid in self.keys]}

    def discovery(self) -> dict[str, Any]:
        return {"issuer": self.name, "jwks_uri": f"{self.name}/keys"}

    def token(
        self,
        now: float,
        *,
        alg: str = "ES256",
        kid: str | None = None,
        key: Key | None = None,
        header: dict[str, Any] | None = None,
        without: Iterable[str] = (),
        **claims: Any,
    ) -> str:
        """A token of the system's that is good for five minutes, with these changes."""
        kid = kid or list(self.keys)[-1]
        said = {"iss": self.name, "aud": AUDIENCE, "exp": int(now) + 300, **SYSTEM, **claims}
        for name in without:
            del said[name]
        with warnings.catch_warnings():
            # Tokens that nobody should make are made here on purpose.
            warnings.simplefilter("ignore")
            return jwt.encode(
                {"alg": alg, "kid": kid, **(header or {})},
                said,
                key or self.keys[kid],
                registry=JWSRegistry(algorithms=[alg], strict_check_header=False),
            )


def unsigned(header: object, payload: object = None) -> str:
    """A token of these parts with no signature worth the name."""
    parts = (header, payload or {})
    return ".".join((*(encoded(json.dumps(part).encode()) for part in parts), "AAAA"))


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()
