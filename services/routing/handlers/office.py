"""Context of every handler: the working calendar, the town's limits and the active catalogue."""

from dataclasses import dataclass
from datetime import date, datetime

import structlog

from services.routing.catalogue.sheet import Faulty, Known, read_stored
from services.routing.catalogue.table import Catalogue
from services.routing.domain.dispatching import Limits
from services.routing.domain.moment import Acting, Moment
from services.routing.store import catalogues
from shared.calendar import WorkingCalendar
from shared.runtime.database import Connection

log = structlog.get_logger()


class ActiveCatalogue:
    """Caches the compiled active version; another version is loaded when a batch finds it active."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._current = Catalogue(None, (), limits)

    async def at(self, conn: Connection, version: int | None) -> Catalogue:
        """Return the compiled catalogue of that version; None is a town without one."""
        if self._current.version != version:
            self._current = await self.compiled(conn, version)
        return self._current

    async def compiled(self, conn: Connection, version: int | None) -> Catalogue:
        """Compile any version. Raises LookupError when there is none of that number."""
        if version is None:
            return Catalogue(None, (), self._limits)
        text = await catalogues.load_source(conn, version)
        if text is None:
            raise LookupError(f"the dispatch catalogue has no version {version}")
        sheet = read_stored(text, Known(await catalogues.load_departments(conn)))
        if isinstance(sheet, Faulty):
            # It was in order when it came in. A town is better served by its fallback desk than by nobody.
            log.error("catalogue.unusable", version=version, faults=len(sheet.faults))
            return Catalogue(version, (), self._limits)
        return Catalogue(version, sheet.rules, self._limits)


@dataclass(frozen=True, slots=True)
class Office:
    """The town's rules, given to every handler by the composition root."""

    calendar: WorkingCalendar
    limits: Limits
    catalogue: ActiveCatalogue

    def today(self, now: datetime) -> date:
        """Return the local day of `now`, by which ties are dated."""
        return now.astimezone(self.calendar.zone).date()

    def moment(self, now: datetime, by: Acting) -> Moment:
        """Return the moment of a decision at `now`."""
        return Moment(now, by, self.calendar, self.limits)
