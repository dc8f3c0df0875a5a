"""A backup as a file: a zip with a manifest and the rows of each table; half of one never has the name of a whole."""

import fcntl
import hashlib
import os
import zipfile
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.common.trouble import Trouble

FORMAT = 1
MANIFEST = "manifest.json"
TOKENS = "tokens.json"
BLOCK_BYTES = 256 * 1024
MOST_MANIFEST_BYTES = 16 * 1024 * 1024
LEVEL = 1
BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    EOFError,
    OSError,
    KeyError,
    NotImplementedError,
)

Told = Callable[[int, int], None]
"""Is told how many bytes of how many have been read."""


class Rows(BaseModel):
    """The rows of one table: where they lie in the file, and what they must be."""

    model_config = ConfigDict(frozen=True)

    schema_name: str
    table: str
    columns: tuple[str, ...]
    rows: int
    bytes: int
    sha256: str

    @property
    def entry(self) -> str:
        """The name of their entry."""
        return self.place(self.schema_name, self.table)

    @staticmethod
    def place(schema: str, table: str) -> str:
        """The name of the entry of a table."""
        return f"{schema}/{table}.copy"


class Manifest(BaseModel):
    """What a backup holds. `format` goes up when an older program could no longer read it."""

    model_config = ConfigDict(frozen=True)

    format: int
    made_at: datetime
    version: str
    migrations: Mapping[str, Mapping[str, str]]
    """By schema, the files that made it with their SHA-256."""
    heads: Mapping[str, int]
    """By schema, the number of the last event that is in it."""
    sequences: Mapping[str, int]
    tables: tuple[Rows, ...]
    tokens_sha256: str | None


class Writer:
    """Puts entries into a backup that is being made. Raises Trouble when the disk does not take them."""

    def __init__(self, target: Path, archive: zipfile.ZipFile) -> None:
        self._target = target
        self._archive = archive

    @contextmanager
    def entry(self, name: str) -> Iterator["ArchiveEntry"]:
        """An entry to be written block by block."""
        with written(self._target):
            file = self._archive.open(name, "w", force_zip64=True)
        try:
            yield ArchiveEntry(self._target, file)
        finally:
            with written(self._target):
                file.close()

    def put(self, name: str, content: bytes) -> str:
        """A whole entry at once; its SHA-256."""
        with self.entry(name) as entry:
            entry.write(content)
        return entry.sha256


class ArchiveEntry:
    """Counts and hashes what goes into an entry."""

    def __init__(self, target: Path, file: IO[bytes]) -> None:
        self._target = target
        self._file = file
        self._hash = hashlib.sha256()
        self.bytes = 0

    def write(self, block: bytes) -> None:
        """Append a block. Raises Trouble when the disk does not take it."""
        with written(self._target):
            self._file.write(block)
        self.bytes += len(block)
        self._hash.update(block)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def written(target: Path) -> Iterator[None]:
    """Turn what the system says of a file that cannot be written into a Trouble."""
    try:
        yield
    except OSError as fault:
        reason = fault.strerror or fault
        raise Trouble("backup.unwritable", file=target, reason=reason) from fault


@contextmanager
def made(target: Path) -> Iterator[Writer]:
    """Write a backup: it has the name `target` once all of it lies on the disk, and only if the block ends well.

    Raises Trouble when something has that name, when it cannot be written or the disk is full.
    """
    if target.exists():
        raise Trouble("backup.exists", file=target)
    partial = target.with_name(f".{target.name}.partial")
    with written(target), private(target, partial) as file:
        try:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=LEVEL) as archive:
                yield Writer(target, archive)
            file.flush()
            os.fsync(file.fileno())
            partial.rename(target)
            sync_folder(target.parent)
        finally:
            partial.unlink(missing_ok=True)


@contextmanager
def private(target: Path, partial: Path) -> Iterator[IO[bytes]]:
    """A file for its owner alone, emptied of what a backup that was killed has left.

    Raises Trouble when another backup is writing it.
    """
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with open(descriptor, "r+b") as opened:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as fault:
            raise Trouble("backup.busy", file=target) from fault
        opened.truncate()
        yield opened


def sync_folder(folder: Path) -> None:
    """Have the names in a folder outlast a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Archive:
    """A backup that is read. Every fault of the file is a Trouble."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self.manifest = self._read_manifest()

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """Open a backup and read what it says of itself. Raises Trouble when it is none, damaged or too new."""
        try:
            file = path.open("rb")
        except OSError as fault:
            raise Trouble("restore.unreadable", file=path, reason=fault.strerror) from fault
        with file:
            try:
                archive = zipfile.ZipFile(file)
            except BROKEN as fault:
                raise Trouble("restore.damaged", file=path, reason=fault) from fault
            with archive:
                yield cls(path, archive)

    def _read_manifest(self) -> Manifest:
        try:
            if self._archive.getinfo(MANIFEST).file_size > MOST_MANIFEST_BYTES:
                raise zipfile.BadZipFile(MANIFEST)
            content = self._archive.read(MANIFEST)
        except BROKEN as fault:
            raise self._damaged(fault) from fault
        try:
            asked = Format.model_validate_json(content).format
            if asked > FORMAT:
                raise Trouble("restore.newer", file=self.path, what=f"format {asked}")
            return Manifest.model_validate_json(content)
        except ValidationError as fault:
            raise self._damaged(f"{MANIFEST}: {fault.error_count()}") from fault

    def check(self, told: Told) -> None:
        """Read everything and compare it with the manifest. Raises Trouble when it differs."""
        tables = self.manifest.tables
        come, expected = 0, sum(rows.bytes for rows in tables)
        for rows in tables:
            found = hashlib.sha256()
            for block in self._blocks(rows.entry):
                found.update(block)
                come += len(block)
                told(come, expected)
            if found.hexdigest() != rows.sha256:
                raise self._damaged(rows.entry)
        self.tokens()

    async def rows(self, rows: Rows) -> AsyncIterator[bytes]:
        """The rows of a table, block by block."""
        for block in self._blocks(rows.entry):
            yield block

    def tokens(self) -> bytes | None:
        """The tokens file; None when the backup has none."""
        if self.manifest.tokens_sha256 is None:
            return None
        content = b"".join(self._blocks(TOKENS))
        if hashlib.sha256(content).hexdigest() != self.manifest.tokens_sha256:
            raise self._damaged(TOKENS)
        return content

    def _blocks(self, name: str) -> Iterator[bytes]:
        try:
            with self._archive.open(name) as file:
                while block := file.read(BLOCK_BYTES):
                    yield block
        except (*BROKEN, zlib.error) as fault:
            raise self._damaged(f"{name}: {fault}") from fault

    def _damaged(self, reason: object) -> Trouble:
        return Trouble("restore.damaged", file=self.path, reason=reason)


class Format(BaseModel):
    """The one field of a manifest that every version has."""

    format: int
