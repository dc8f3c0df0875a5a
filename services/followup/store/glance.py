"""SQL of the overview: counts by state, and the last offer of each matter."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson

from services.followup.domain.matter import Party
from services.followup.store.listing import of_party
from shared.contracts.events.matters import MatterOffered
from shared.contracts.vocabulary import Candidacy, MatterState
from shared.runtime.database import Connection

MOST_COUNTED = 100_000
"""Matters of a state are counted up to here: the closed ones grow without end."""

# As a range of (state, id), so that the index of the states is all that is read.
COUNT_STATES = """
select wanted.state, counted.number
from unnest($1::text[]) as wanted (state)
cross join lateral (
    select count(*) as number from (
        select from matter where state >= wanted.state and state <= wanted.state
        order by state, id limit $2) as several
) as counted"""


async def count_states(
    conn: Connection, states: Iterable[MatterState] = MatterState, most: int = MOST_COUNTED
) -> dict[MatterState, int]:
    """Return the number of matters in each of these states, `most` at most; states without any are left out."""
    rows = await conn.fetch(COUNT_STATES, [state.value for state in states], most)
    found = {MatterState(row["state"]): row["number"] for row in rows}
    return {state: found[state] for state in MatterState if found.get(state)}


MOST_COUNTED_OF_PARTY = 10_000

COUNT_STATES_OF = """
select matter.state, count(*) as number
from ((select matter_id from listing where name = $1 and open order by matter_id desc limit $2)
      union all
      (select matter_id from listing where name = $1 and not open order by matter_id desc limit $2)) as listed
join matter on matter.id = listed.matter_id group by matter.state"""


async def count_states_of(
    conn: Connection, party: str, most: int = MOST_COUNTED_OF_PARTY
) -> dict[MatterState, int]:
    """Return the number of a party's matters by state: of its newest, `most` of each side."""
    rows = await conn.fetch(COUNT_STATES_OF, of_party(party), most)
    found = {MatterState(row["state"]): row["number"] for row in rows}
    return {state: found[state] for state in MatterState if found.get(state)}


@dataclass(frozen=True, slots=True)
class LastOffer:
    """The last offer of a matter: the party and the reason; it stays after the offer has ended."""

    party: Party
    candidacy: Candidacy
    why: str


LAST_OFFERS = """
select distinct on (subject) subject, data
from event where subject = any($1::text[]) and type = $2 order by subject, version desc"""


async def last_offers(conn: Connection, ids: Sequence[str]) -> dict[str, LastOffer]:
    """Return the last offer of each of these matters that ever had one."""
    rows = await conn.fetch(LAST_OFFERS, ids, MatterOffered.wire_type())
    return {row["subject"]: _offer(orjson.loads(row["data"])) for row in rows}


def _offer(data: dict[str, object]) -> LastOffer:
    offered = MatterOffered.model_validate(data)
    party = Party(offered.party.id, offered.party.kind, offered.party.name)
    return LastOffer(party, offered.candidacy, offered.why)
