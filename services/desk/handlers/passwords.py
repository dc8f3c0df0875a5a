"""Hashes passwords by argon2id, off the event loop, a few at a time."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from services.desk.domain import passwords
from shared.runtime.errors import busy

# OWASP's profiles start at 19 MiB x 2 and 46 MiB x 1; about 0.1 s of one processor.
HASHER: Final = PasswordHasher(time_cost=2, memory_cost=46 * 1024, parallelism=1)
AT_ONCE: Final = 2
MOST_WAITING: Final = 16
"""More than these get 503: an attempt would wait for seconds, and a crowd of attempts for ever."""
BUSY_SECONDS: Final = 5


def generate() -> str:
    """Return a password that nobody guesses and everybody can type."""
    length = passwords.GROUPS * passwords.GROUP_LENGTH
    return passwords.grouped("".join(secrets.choice(passwords.ALPHABET) for _ in range(length)))


def hash_password(password: str) -> str:
    """Return the argon2id hash of a password, with its salt and parameters in it; blocks for about 0.1 s."""
    return HASHER.hash(passwords.normal(password))


def is_password(hashed: str, password: str) -> bool:
    """Whether `hashed` is of `password`; blocks as long as `hash_password`."""
    try:
        return HASHER.verify(hashed, passwords.normal(password))
    except (VerificationError, InvalidHashError):
        return False


Result = TypeVar("Result")


class PasswordThreads:
    """Two threads that hash, each with 46 MiB at a time; argon2 lets the event loop run meanwhile."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
        self._waiting = 0
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """Return the hash of a password. Raises Problem 503 when too many wait."""
        with self._place():
            return await self._run(hash_password, password)

    async def is_right(self, hashed: str | None, password: str) -> bool:
        """Whether `hashed` is of `password`; without a hash False, after the same time.

        Raises Problem 503 when too many wait.
        """
        with self._place():
            if self._nobodys is None:
                # Made at the first attempt of all, whoever's it is.
                self._nobodys = await self._run(hash_password, generate())
            right = await self._run(is_password, hashed or self._nobodys, password)
        return right and hashed is not None

    @staticmethod
    def is_outdated(hashed: str) -> bool:
        """Whether a hash has other parameters than new ones."""
        return HASHER.check_needs_rehash(hashed)

    def close(self) -> None:
        """Let the threads end; what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._waiting >= AT_ONCE + MOST_WAITING:
            raise busy(BUSY_SECONDS)
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1

    async def _run(self, work: Callable[..., Result], *arguments: object) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)
