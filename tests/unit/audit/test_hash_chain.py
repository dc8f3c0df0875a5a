"""A chain's digests, by values that other tools have computed: who changes them breaks every chain there is."""

from datetime import UTC, datetime
from uuid import UUID

from shared.audit.hash_chain import BEGINNING, Sealed, chained, own_digest

EVENT = Sealed(
    UUID("0198f3c1-7a52-7c3e-9f10-2b6d5e8a4c01"),
    "店小二",
    3,
    "liaison.request.amended.v1",
    datetime(2026, 3, 2, 1, 30, 0, 5, tzinfo=UTC),
    None,
    bytes(range(32)),
)


def test_an_events_own_digest_is_what_it_was() -> None:
    """`printf '%s' '["0198…", "店小二", 3, …]' | sha256sum`"""
    assert (
        own_digest(EVENT).hex()
        == "6de4d381d4529f83df59be42516fef3f24b9d4f5fe9acd26752f9f3610d44324"
    )


def test_a_seals_digest_is_what_it_was() -> None:
    digests = [own_digest(EVENT), own_digest(EVENT._replace(version=4))]
    assert (
        chained(BEGINNING.digest, digests).hex()
        == "4674ff7afcbf5a401ec286057e28fdb9f5831e92eaec4b1020a48ca59dee929d"
    )
