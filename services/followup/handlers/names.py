"""Names beside the ids of parties, as far as the directory has them."""

from collections.abc import Mapping, Sequence

from services.followup.handlers.queries import Found
from services.followup.store import parties
from services.followup.store.chart import Chart
from shared.runtime.database import Connection


async def names_in_list(conn: Connection, items: Sequence[Found]) -> Mapping[str, str]:
    """The names of the lead departments of matters in a list, by id."""
    leads = {each.matter.lead_department for each in items}
    return await parties.load_names(conn, [lead for lead in leads if lead is not None])


async def names_on_chart(conn: Connection, chart: Chart) -> Mapping[str, str]:
    """The names of whoever has a milestone or its matter, by id."""
    ids = {each.milestone.owner_department for each in chart.milestones}
    return await parties.load_names(
        conn, ids | {each.owner_id for each in chart.milestones if each.owner_id is not None}
    )
