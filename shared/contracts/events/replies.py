"""What became of the commands of other systems, on `liaison.replies`."""

from typing import ClassVar

from shared.contracts import topics
from shared.contracts.events.event import Event
from shared.contracts.events.requests import FieldFault


class CommandReply(Event):
    """An answer to one command: whose (`source`), which (`command_id`), of which type."""

    TOPIC: ClassVar[str] = topics.REPLIES

    source: str
    command_id: str
    command_type: str
    status: int


class CommandDone(CommandReply):
    """The step was taken. `version` is the matter's after it."""

    TYPE: ClassVar[str] = "command.done"

    version: int | None = None


class CommandRefused(CommandReply):
    """The step was not taken; `code` is the problem's, `allowed_states` those that would have allowed it.

    `faults` name what is wrong with single fields, by pointers into the step's HTTP request.
    """

    TYPE: ClassVar[str] = "command.refused"

    code: str
    title: str
    detail: str
    allowed_states: tuple[str, ...] = ()
    faults: tuple[FieldFault, ...] = ()
