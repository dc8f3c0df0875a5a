"""Whatever a desk needs before it can be built in a test."""

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey

from deploy.local.embedded.ports import LOOPBACK


def desk_key(folder: Path) -> Path:
    """A file with a new signing key."""
    file = folder / "desk_key.pem"
    if not file.exists():
        key = OKPKey.generate_key("Ed25519", private=True)
        file.write_text(key.as_pem(private=True).decode())
    return file


@cache
def some_desk_key() -> Path:
    """A file with a signing key that every test of this process may use."""
    return desk_key(Path(tempfile.mkdtemp(prefix="desk_key_")))


def desk_settings(folder: Path) -> Mapping[str, Any]:
    """The settings that the desk has beyond those of every service."""
    return {"desk_key_file": desk_key(folder)}


def jwks_url(port: int) -> str:
    """Where the services find the desk's keys when it, or a gateway before it, listens on `port`."""
    return f"http://{LOOPBACK}:{port}/desk/jwks.json"
