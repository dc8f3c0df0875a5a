"""What is measured does not hold anybody up, and what could not be measured is not shown."""

from collections.abc import AsyncIterator

import pytest
from prometheus_client import Gauge

from shared.runtime import sampling
from shared.runtime.database import Connection, Database, open_database
from shared.runtime.sampling import measure

SLEEPING = """
select count(*) from pg_stat_activity
where datname = current_database() and backend_type = 'client backend' and state = 'active'
  and pid <> pg_backend_pid()"""


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """A pool of one: what does not come back is missed at once."""
    database = await open_database(database_url, "intake", max_size=1)
    yield database
    await database.close()


@pytest.fixture
def gauge() -> Gauge:
    gauge = Gauge("measured", "x", ["service", "kind"], registry=None)
    gauge.labels("intake", "a").set(1)
    gauge.labels("routing", "a").set(2)
    return gauge


def shown(gauge: Gauge) -> dict[str, float]:
    (metric,) = gauge.collect()
    return {sample.labels["service"]: sample.value for sample in metric.samples}


async def test_what_was_measured_is_shown(db: Database, gauge: Gauge):
    async def process(conn: Connection) -> None:
        gauge.labels("intake", "a").set(await conn.fetchval("select 7"))

    assert await measure(db, [gauge], process) is False, "the next time is in fifteen seconds"
    assert shown(gauge) == {"intake": 7, "routing": 2}


async def test_what_takes_too_long_is_given_up(
    db: Database, gauge: Gauge, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sampling, "LIMIT_SECONDS", 0.2)

    async def process(conn: Connection) -> None:
        await conn.execute("select pg_sleep(30)")

    assert await measure(db, [gauge], process) is False
    assert shown(gauge) == {"routing": 2}
    async with db.reading() as conn:
        assert await conn.fetchval(SLEEPING) == 0


async def test_a_mistake_of_ours_is_told_and_tried_again_in_its_time(
    db: Database, gauge: Gauge, capsys: pytest.CaptureFixture[str]
):
    async def process(conn: Connection) -> None:
        raise KeyError("13800138000")

    assert await measure(db, [gauge], process) is False
    assert shown(gauge) == {"routing": 2}
    logged = "".join(capsys.readouterr())
    assert "figures.missing" in logged
    assert "13800138000" not in logged
