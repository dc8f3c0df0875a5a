"""Steps between matters: merge, unmerge, join."""

from collections.abc import Awaitable
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field

from services.followup.api.edge import Work
from services.followup.api.steps.entry import Body, deciding, entry
from services.followup.domain.steps import links
from services.followup.handlers import steps
from services.followup.handlers.office import Office
from services.followup.handlers.steps import Call, Decide, StepOutcome
from shared.contracts.fields.types import Line, Words
from shared.http.writes.steps import StepOperation, StepRequest
from shared.runtime.database import Connection
from shared.runtime.ids import new_id


class MergeBody(Body):
    """The matter of the same requester that it is followed in from now on."""

    into: UUID
    reason: Words


class UnmergeBody(Body):
    """Why the merge is undone."""

    reason: Words


class JoinBody(Body):
    """The joint matter (a new one without `joint_id`), and others that are linked to it in the same step."""

    joint_id: UUID | None = None
    title: Line
    others: Annotated[tuple[UUID, ...], Field(alias="with", max_length=50)] = ()


def _merge(wanted: StepRequest, office: Office) -> Work:
    ids, reason = (wanted.ids["matter_id"], wanted.body.into), wanted.body.reason

    def work(conn: Connection, call: Call) -> Awaitable[StepOutcome]:
        return steps.merge(conn, office, ids, call, reason)

    return work


def _unmerge(wanted: StepRequest) -> Decide:
    step = links.Unmerge(wanted.body.reason)
    return lambda matter, moment: links.unmerge(matter, step, moment)


def _join(wanted: StepRequest, office: Office) -> Work:
    body, matter_id = wanted.body, wanted.ids["matter_id"]
    step = links.Join(str(body.joint_id or new_id()), body.title)
    ids = [matter_id, *dict.fromkeys(each for each in body.others if each != matter_id)]

    def work(conn: Connection, call: Call) -> Awaitable[StepOutcome]:
        return steps.join(conn, office, ids, call, step)

    return work


STEPS: Final = (
    entry(
        "merge",
        "merge",
        StepOperation(
            "mergeMatter",
            "Follow it in another matter",
            "并单: the same requester, the same problem; it can be undone.",
        ),
        _merge,
        MergeBody,
    ),
    entry(
        "unmerge",
        "unmerge",
        StepOperation(
            "unmergeMatter",
            "Undo a merge",
            "撤销并单: it goes on by itself, with the promises that it had.",
        ),
        deciding(_unmerge),
        UnmergeBody,
    ),
    entry(
        "join",
        "join",
        StepOperation(
            "joinMatters",
            "Link it to others of the same problem",
            "共性事项: different firms, one problem; each keeps its liaison, its answer and its return visit.",
        ),
        _join,
        JoinBody,
    ),
)
