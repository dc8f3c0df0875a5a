"""Records that are no event of ours, of every kind: each is kept as it came, once, and holds nothing up."""

import json

import pytest

from shared.contracts import topics
from shared.contracts.events.published import EVENTS
from shared.delivery.cloudevents import Raw
from tests.integration.delivery.town import Records, Town, amended, ruled


def huge(text: str) -> bytes:
    return amended("a", text).model_dump_json().encode()


def with_headers(raw: Raw, **changes: bytes | None) -> Raw:
    """The record with other headers; `...` in place of a value drops one."""
    kept = [(name, value) for name, value in raw.headers if name not in changes]
    added = [(name, value) for name, value in changes.items() if value is not ...]
    return Raw(raw.topic, raw.partition, raw.offset, raw.key, raw.value, (*kept, *added))


def with_value(raw: Raw, value: bytes | None) -> Raw:
    return Raw(raw.topic, raw.partition, raw.offset, raw.key, value, raw.headers)


POISON = {
    "no JSON": lambda raw: with_value(raw, b"{"),
    "no UTF-8": lambda raw: with_value(raw, b'{"message": "\xff\xfe"}'),
    "an empty value": lambda raw: with_value(raw, b""),
    "a tombstone": lambda raw: with_value(raw, None),
    "another shape": lambda raw: with_value(raw, b"[]"),
    "a field of another type": lambda raw: with_value(raw, b'{"message": {"a": 1}}'),
    "a bare number": lambda raw: with_value(raw, b"1"),
    "NUL bytes": lambda raw: with_value(raw, b"\0" * 100),
    "JSON too deep": lambda raw: with_value(raw, b"[" * 100_000),
    "half of a surrogate pair": lambda raw: with_value(raw, huge("x").replace(b"x", b"\\ud800")),
    "more than 1 MiB": lambda raw: with_value(raw, huge("长" * 400_000)),
    "a wrong type": lambda raw: with_headers(raw, ce_type=b"org.example.other"),
    "a type of another topic": lambda raw: with_headers(raw, ce_type=b"liaison.offer.accepted.v1"),
    "a type with a line end": lambda raw: with_headers(raw, ce_type=b"liaison.a.b.v1\n"),
    "no headers": lambda raw: Raw(raw.topic, raw.partition, raw.offset, raw.key, raw.value),
    "no id": lambda raw: with_headers(raw, ce_id=...),
    "an id that is none": lambda raw: with_headers(raw, ce_id=b"17"),
    "no source": lambda raw: with_headers(raw, ce_source=...),
    "a source with NUL": lambda raw: with_headers(raw, ce_source=b"urn:\0"),
    "no sequence": lambda raw: with_headers(raw, ce_sequence=...),
    "sequence zero": lambda raw: with_headers(raw, ce_sequence=b"0"),
    "a negative sequence": lambda raw: with_headers(raw, ce_sequence=b"-1"),
    "a sequence beyond a number": lambda raw: with_headers(raw, ce_sequence=b"9" * 40),
    "a sequence of other digits": lambda raw: with_headers(raw, ce_sequence="１".encode()),
    "no time": lambda raw: with_headers(raw, ce_time=...),
    "a time without a zone": lambda raw: with_headers(raw, ce_time=b"2026-03-02T09:30:00"),
    "a time that never was": lambda raw: with_headers(raw, ce_time=b"2026-02-30T00:00:00Z"),
    "a time before all time": lambda raw: with_headers(raw, ce_time=b"0001-01-01T00:00:00+14:00"),
    "a time after all time": lambda raw: with_headers(raw, ce_time=b"99999-01-01T00:00:00Z"),
    "a cause that is none": lambda raw: with_headers(raw, ce_causationid=b"x"),
    "a header that is not UTF-8": lambda raw: with_headers(raw, ce_type=b"\xff\xfe\xfd"),
    "a null header": lambda raw: with_headers(raw, ce_type=None),
    "a header of 1 MB": lambda raw: with_headers(raw, ce_type=b"x" * 1_000_000),
    "no subject": lambda raw: with_headers(raw, ce_subject=...),
    "an empty subject": lambda raw: with_headers(raw, ce_subject=b""),
    "a subject with NUL": lambda raw: with_headers(raw, ce_subject=b"a\0b"),
    "a subject of 1 MB": lambda raw: with_headers(raw, ce_subject=b"s" * 1_000_000),
    "a header's name with NUL": lambda raw: with_value(with_headers(raw, **{"a\0b": b"1"}), b"{"),
}


@pytest.mark.parametrize("kind", POISON)
async def test_poison_is_set_aside_once_and_holds_nothing_up(
    town: Town, records: Records, kind: str
):
    poison = POISON[kind](records(amended("a"), "a", 1))
    batch = [*records.matter("b", [1]), poison, *records.matter("b", [2])]
    await town.inbound.process(batch)
    await town.inbound.process(batch)
    await town.make_inbound().process([poison, *records.matter("c", [1])])
    assert await town.applied() == [("b", 1), ("b", 2), ("c", 1)]
    [letter] = await town.letters()
    assert letter["fate"] == "poison"
    assert (letter["key"], letter["value"]) == (poison.key, poison.value)
    assert letter["header_values"] == [value for _, value in poison.headers]
    assert 0 < len(letter["reason"]) <= 2000
    assert letter["attempts"] == 1
    assert len(await town.fetch("select 1 from event")) == 1


REGISTERED = {
    "actor": {"role": "system", "party": "urn:x"},
    "matter_id": "a",
    "request_id": "a",
    "source": "urn:x",
    "source_ref": "1",
    "channel": "web",
    "kind": "ask",
    "requester": {"kind": "resident", "id": "1", "name": "n"},
    "summary": "s",
    "detail": "d",
}


@pytest.mark.parametrize(
    "moment",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "99999-01-01T00:00:00Z",
        "2026-02-30T00:00:00Z",
        "2026-03-02T09:30:00",
        1e300,
        "1e300",
    ],
)
async def test_an_absurd_date_in_the_value_is_poison(town: Town, records: Records, moment: object):
    raw = with_headers(records(amended("a"), "a", 1), ce_type=b"liaison.request.registered.v1")
    value = json.dumps(REGISTERED | {"received_at": moment}).encode()
    await town.inbound.process([with_value(raw, value), *records.matter("b", [1])])
    assert await town.fates() == [("poison", "a", 1)]
    assert await town.applied() == [("b", 1)]


async def test_what_comes_after_poison_of_a_subject_waits_behind_it(town: Town, records: Records):
    one, two, three = records.matter("a", [1, 2, 3])
    await town.inbound.process([one, with_value(two, b"{"), three])
    assert await town.versions("a") == [1]
    assert await town.fates() == [("poison", "a", 2), ("gap", "a", 3)]


async def test_a_trace_that_is_none_costs_no_event(town: Town, records: Records):
    raw = with_headers(records(amended("a"), "a", 1), traceparent=b"\0 no trace")
    await town.inbound.process([raw])
    assert await town.versions("a") == [1]


async def test_more_headers_than_we_know_are_passed_over(town: Town, records: Records):
    raw = with_headers(records(amended("a"), "a", 1), **{"x-b": b"\xff", "x-c": None})
    await town.inbound.process([raw])
    assert await town.versions("a") == [1]


async def test_a_newer_version_waits_for_the_program_that_knows_it(
    town: Town, records: Records, monkeypatch: pytest.MonkeyPatch
):
    """An older program sets it aside with all that follows; the newer one takes it up by itself."""
    older = town.make_inbound({k: v for k, v in EVENTS.items() if "amended" not in k})
    await older.process(records.matter("a", [1, 2]))
    assert await town.fates() == [("unknown_version", "a", 1), ("unknown_version", "a", 2)]
    await town.execute("update dead_letter set last_failed_at = now() - interval '2 minutes'")
    await older.replay_next()
    assert len(await town.letters()) == 2
    monkeypatch.setattr("shared.delivery.inbox.consumer.SWEEP_SECONDS", 0)
    await town.settle()
    assert await town.versions("a") == [1, 2]
    assert await town.letters() == []


async def test_a_whole_batch_of_poison(town: Town, records: Records):
    batch = [records.raw(topics.REQUESTS, b"%d" % number) for number in range(500)]
    await town.inbound.process(batch)
    await town.inbound.process([*batch, records(ruled("a"), "a", 1)])
    assert [fate for fate, _, _ in await town.fates()].count("poison") == 500
