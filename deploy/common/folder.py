"""The data folder: paths of its files, and atomic writes."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.common.trouble import Trouble

DEFAULT = Path(".liaison")
LONGEST_NAME = 900
"""Bytes of the folder's path; PostgreSQL takes 1,023 for a path with a file's name."""
FILES = frozenset(
    {
        "endpoints.json",
        "tokens.json",
        "stack.json",
        "kafka-users.json",
        "demo-tokens.json",
        "desk-key.pem",
    }
)
"""What lies beside the folders of the parts."""


@dataclass(frozen=True, slots=True)
class Folder:
    """The data folder of one stack; only its owner has access to it."""

    root: Path

    @classmethod
    def at(cls, path: Path) -> "Folder":
        # Only a shell knows other users' folders; elsewhere a name may begin with a tilde.
        at_home = path.parts[:1] == ("~",)
        return cls((path.expanduser() if at_home else path).resolve())

    @property
    def endpoints(self) -> Path:
        return self.root / "endpoints.json"

    @property
    def tokens_file(self) -> Path:
        return self.root / "tokens.json"

    @property
    def tokens(self) -> Path:
        return self.root / "tokens"

    @property
    def desk_key(self) -> Path:
        """The key that the desk signs its tokens with."""
        return self.root / "desk-key.pem"

    @property
    def remembered(self) -> Path:
        return self.root / "stack.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def kafka_users(self) -> Path:
        return self.root / "kafka-users.json"

    def kafka_password(self, user: str) -> Path:
        """Return the path of the password file of a Kafka user of the stack itself."""
        return self.kafka / f"{user}.password"

    @property
    def running(self) -> Path:
        return self.root / "run" / "running.json"

    def log(self, name: str) -> Path:
        """Return the path of the log of one part."""
        return self.logs / f"{name}.log"

    def make(self) -> None:
        """Create the missing folders with mode 0700. Raises Trouble when they cannot be written or used."""
        self._check_name()
        try:
            for part in (self.root, *self._parts):
                part.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not os.access(part, os.W_OK | os.X_OK):
                    raise PermissionError(part)
            for part in self.exposed():
                with suppress(PermissionError):
                    part.chmod(0o700)
        except OSError as fault:
            raise Trouble("folder.unwritable", folder=self.root, reason=fault) from fault

    def exposed(self) -> list[Path]:
        """Return the folders of the stack that other users can read; the root only if it holds nothing else."""
        ours = {part.name for part in self._parts} | FILES
        whole = not {entry.name for entry in self.root.iterdir()} - ours
        looked_at = (self.root, *self._parts) if whole else self._parts
        return [part for part in looked_at if part.exists() and part.stat().st_mode & 0o077]

    def _check_name(self) -> None:
        name = os.fsencode(self.root)
        if len(name) > LONGEST_NAME:
            raise Trouble("folder.long", folder=self.root, longest=LONGEST_NAME)
        try:
            is_text = not any(c < " " or c == "\x7f" for c in name.decode())
        except UnicodeDecodeError:
            is_text = False
        if not is_text:
            raise Trouble("folder.name", folder=self.root)

    @property
    def _parts(self) -> tuple[Path, ...]:
        return (self.logs, self.tokens, self.postgres, self.kafka, self._run)

    @property
    def _run(self) -> Path:
        return self.root / "run"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the launcher's lock on this folder. Raises BlockingIOError when another launcher holds it."""
        with (self._run / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield

    @property
    def is_held(self) -> bool:
        """Return whether a launcher holds the lock on this folder."""
        if not (self._run / "lock").exists():
            return False
        try:
            with self.held():
                return False
        except BlockingIOError:
            return True


def read_json(path: Path) -> Any:  # noqa: ANN401 - JSON is of any shape
    """Return the content of a JSON file; None when it is missing or invalid."""
    try:
        return json.loads(path.read_bytes())
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def write_private(path: Path, content: str) -> None:
    """Replace a file atomically by one with mode 0600."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with suppress(FileNotFoundError):
        fresh.unlink()
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def write_json(path: Path, content: object) -> None:
    """Replace a JSON file atomically by one with mode 0600."""
    write_private(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
