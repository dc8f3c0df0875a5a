"""Backup file: a zip with a manifest and the rows of each table, renamed to its final name only when complete."""

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
    """Entry of one table: its place in the file, with the row count and checksum it must have."""

    model_config = ConfigDict(frozen=True)

    schema_name: str
    table: str
    columns: tuple[str, ...]
    rows: int
    bytes: int
    sha256: str

    @property
    def entry(self) -> str:
        """Return the name of the table's entry."""
        return self.place(self.schema_name, self.table)

    @staticmethod
    def place(schema: str, table: str) -> str:
        """The name of the entry of a table."""
        return f"{schema}/{table}.copy"


class Manifest(BaseModel):
    """Contents of a backup. `format` is raised when older programs can no longer read it."""

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
    """Writes entries into a new backup. Raises Trouble when the disk fails or is full."""

    def __init__(self, target: Path, archive: zipfile.ZipFile) -> None:
        self._target = target
        self._archive = archive

    @contextmanager
    def entry(self, name: str) -> Iterator["ArchiveEntry"]:
        """Open an entry for writing in blocks."""
        with written(self._target):
            file = self._archive.open(name, "w", force_zip64=True)
        try:
            yield ArchiveEntry(self._target, file)
        finally:
            with written(self._target):
                file.close()

    def put(self, name: str, content: bytes) -> str:
        """Write a whole entry; return its SHA-256."""
        with self.entry(name) as entry:
            entry.write(content)
        return entry.sha256


class ArchiveEntry:
    """Counts and hashes what is written to an entry."""

    def __init__(self, target: Path, file: IO[bytes]) -> None:
        self._target = target
        self._file = file
        self._hash = hashlib.sha256()
        self.bytes = 0

    def write(self, block: bytes) -> None:
        """Append a block. Raises Trouble when the disk fails or is full."""
        with written(self._target):
            self._file.write(block)
        self.bytes += len(block)
        self._hash.update(block)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


@contextmanager
def written(target: Path) -> Iterator[None]:
    """Turn an OSError of writing a file into a Trouble."""
    try:
        yield
    except OSError as fault:
        reason = fault.strerror or fault
        raise Trouble("backup.unwritable", file=target, reason=reason) from fault


@contextmanager
def made(target: Path) -> Iterator[Writer]:
    """Write a backup in the block; the file gets the name `target` when it is complete on the disk.

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
    """Open a file with mode 0600, truncating what a killed backup left.

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
    """Flush a folder's entries to the disk, so that new names survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Archive:
    """A backup open for reading. Every fault of the file raises Trouble."""

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        self.path = path
        self._archive = archive
        self.manifest = self._read_manifest()

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Self]:
        """Open a backup and read its manifest. Raises Trouble when it is not a backup, damaged or too new."""
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
        """Read all entries and compare them with the manifest. Raises Trouble when one differs."""
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
        """Yield the rows of a table in blocks."""
        for block in self._blocks(rows.entry):
            yield block

    def tokens(self) -> bytes | None:
        """Return the tokens file; None when the backup has none."""
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
    """The field of a manifest that every version has."""

    format: int
