"""What earlier versions projected wrongly is learned again from the first version."""

from pathlib import Path

from services import intake as intake_service
from services.intake.handlers.progress import follow_matters
from tests.integration.intake.test_projection import may_call, offered, returned, status, taken
from tests.integration.intake.test_receipts import LIAISON, Taken, conn

__all__ = ["conn", "taken"]

FOLDER = Path(intake_service.__file__).parent / "migrations"


async def test_case_44_old_rows_are_learned_again_by_the_migration(taken: Taken) -> None:
    """As earlier versions left it: the history ended the offer, and the row still has it."""
    news = [offered(taken, LIAISON), returned(taken, LIAISON)]
    await follow_matters(taken.conn, news)
    await taken.conn.execute("update progress set offered_id = 'L001'")
    await taken.conn.execute("insert into seen values ($1, 'liaison.matters', 2)", taken.id)
    migration = (FOLDER / "0004_progress.sql").read_text("utf-8")
    async with taken.conn.transaction():
        await taken.conn.execute(migration[migration.index("-- Matters that are") :])
    assert await taken.conn.fetch("select * from seen where subject = $1", taken.id) == []
    assert (await status(taken))["state"] == "received"
    await follow_matters(taken.conn, news)
    assert await may_call(taken) == set()
