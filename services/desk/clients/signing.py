"""The desk's signing keys: read from a file that is read again when it changes."""

import re
from pathlib import Path
from typing import Any, Final

import structlog
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

log = structlog.get_logger()

ALGORITHM: Final = "Ed25519"
_PEM: Final = re.compile(r"-----BEGIN PRIVATE KEY-----.+?-----END PRIVATE KEY-----", re.DOTALL)


class UnusableKeys(ValueError):
    """The file holds no Ed25519 private key."""


class SigningKeyFile:
    """Ed25519 private keys (PKCS #8, PEM) of a file. The first one signs; all of them are published.

    To rotate without a refused token: append the new key, wait until the services have fetched it (10 s after its
    first use at the latest), move it to the top, and drop the old one 5 minutes later.
    """

    def __init__(self, file: Path) -> None:
        """Raises UnusableKeys, or OSError, when the file cannot be used."""
        self._file = file
        self._stamp = self._stamp_now()
        self._keys = read_keys(file.read_text("utf-8"))

    @property
    def current(self) -> OKPKey:
        """The key that signs."""
        self._refresh()
        return self._keys[0]

    def published(self) -> dict[str, Any]:
        """The public halves of all keys as a JWK set (RFC 7517)."""
        self._refresh()
        return {"keys": [_public(key) for key in self._keys]}

    def _refresh(self) -> None:
        try:
            stamp = self._stamp_now()
            if stamp == self._stamp:
                return
            self._keys = read_keys(self._file.read_text("utf-8"))
            self._stamp = stamp
        except (OSError, ValueError) as fault:
            # Half written, or gone for a moment: the keys that are known go on.
            log.error("desk.keys", file=str(self._file), fault=type(fault).__name__)
            return
        log.info("desk.keys", kids=[key.kid for key in self._keys])

    def _stamp_now(self) -> tuple[int, int, int]:
        status = self._file.stat()
        return status.st_ino, status.st_mtime_ns, status.st_size


def read_keys(text: str) -> list[OKPKey]:
    """Return the Ed25519 keys of a PEM text in its order, each named by its thumbprint (RFC 7638).

    Raises UnusableKeys for a text with another key in it, or without one.
    """
    keys = [_read_key(block) for block in _PEM.findall(text)]
    if not keys:
        raise UnusableKeys("no PRIVATE KEY (PKCS #8, PEM) in it")
    return keys


def _read_key(block: str) -> OKPKey:
    try:
        key = OKPKey.import_key(block)
    except (JoseError, ValueError, TypeError) as fault:
        raise UnusableKeys(str(fault)) from fault
    if key.curve_name != ALGORITHM:
        raise UnusableKeys(f"a key of curve {key.curve_name}, where {ALGORITHM} is needed")
    key.ensure_kid()
    return key


def _public(key: OKPKey) -> dict[str, Any]:
    return {**key.as_dict(private=False), "use": "sig", "alg": ALGORITHM}
