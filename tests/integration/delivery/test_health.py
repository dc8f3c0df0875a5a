"""Whether a service says that it is ready while its outbox is full of what is old."""

from shared.runtime.supervisor import Health
from tests.integration.delivery.town import Town

OLD_EVENTS = """
insert into event (id, subject, version, type, topic, at, data)
select uuidv7(interval '-1 hour'), 's' || number, 1, 'x', 'x', now(), '{}'
from generate_series(1, 9) as number"""


async def test_a_history_that_moves_is_no_backlog(town: Town):
    health = Health("town", lambda: {})
    async with town.db.reading() as conn:
        await conn.execute(OLD_EVENTS)
        await conn.execute("insert into outbox select seq from event")
        await health._measure(conn)
        assert not health.checks()["outbox"], "it waits, and nothing moves"
        await conn.execute("delete from outbox where seq < 4")
        await health._measure(conn)
        assert health.checks()["outbox"]
        assert health.outbox_age_s > 3000
        health.moved_at -= 31
        await health._measure(conn)
        assert not health.checks()["outbox"], "it has stopped"
        await conn.execute("insert into outbox values (1)")
        await health._measure(conn)
        assert not health.checks()["outbox"], "to begin again is not to get on"
        await conn.execute("delete from outbox")
        await health._measure(conn)
        assert health.checks()["outbox"], "nothing waits"
