"""What requesters add to their matters, as followup says it on `liaison.matters`."""

from typing import ClassVar

from shared.contracts.events.matters import MatterChanged
from shared.contracts.events.requests import Satisfaction
from shared.contracts.vocabulary import Amendment


class MatterAmended(MatterChanged):
    """The requester added facts.

    `request_id` is that of a request that was merged into this matter. An answer or a withdrawal that could not take
    effect is kept as words too.
    """

    TYPE: ClassVar[str] = "matter.amended"

    message: str
    about: Amendment = Amendment.MESSAGE
    request_id: str | None = None
    solved: bool | None = None
    satisfaction: Satisfaction | None = None
