"""Steps over HTTP: one body, one decision, one response each."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Request, Response

from services.followup.api import bodies
from services.followup.api.answers import MatterShown
from services.followup.api.edge import ACTING, PROBLEMS, edge_of, perform_step
from services.followup.domain import chart, links, resolution, work
from services.followup.domain.decision import Decision
from services.followup.domain.matter import Matter
from services.followup.domain.moment import Moment
from services.followup.handlers import steps
from services.followup.handlers.steps import Call, Decide, StepOutcome
from shared.auth.tokens import Principal
from shared.http.idempotency import KEYED, VERSIONED
from shared.http.routes import CheckedRoute
from shared.runtime.database import Connection
from shared.runtime.ids import new_id

router = APIRouter(
    route_class=CheckedRoute,
    prefix="/followup/matters/{matter_id}",
    tags=["steps"],
    dependencies=[KEYED, VERSIONED],
    responses={200: {"model": MatterShown}, **PROBLEMS},
)

Caller = Annotated[Principal, Depends(ACTING)]


async def _step(request: Request, caller: Principal, matter_id: UUID, decide: Decide) -> Response:
    async def run(conn: Connection, call: Call) -> StepOutcome:
        return await steps.perform_step(conn, edge_of(request).office, matter_id, call, decide)

    return await perform_step(request, caller, matter_id, run)


@router.post(
    "/first-contact", operation_id="recordFirstContact", summary="The owner spoke to the requester"
)
async def first_contact(
    request: Request,
    matter_id: UUID,
    caller: Caller,
    body: Annotated[bodies.FirstContactBody | None, Body()] = None,
) -> Response:
    """首次联系: once a round."""
    step = work.FirstContact(body.note if body else None)
    return await _step(request, caller, matter_id, lambda m, at: work.first_contact(m, step, at))


@router.post("/feedback", operation_id="giveFeedback", summary="Tell the requester how it stands")
async def feedback(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.FeedbackBody
) -> Response:
    """阶段反馈: keeps the interim promise, and while charted promises the next."""
    step = work.Feedback(body.text)
    return await _step(request, caller, matter_id, lambda m, at: work.feedback(m, step, at))


@router.post("/plan", operation_id="planMilestones", summary="Put it on the wall chart")
async def plan(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.PlanBody
) -> Response:
    """挂图作战: milestones with owner departments and dates; again adds more."""
    step = chart.Plan(
        tuple(
            chart.PlannedStep(
                new_id(), each.title, each.owner_department, each.due_at, each.required
            )
            for each in body.milestones
        )
    )

    async def run(conn: Connection, call: Call) -> StepOutcome:
        return await steps.plan(conn, edge_of(request).office, matter_id, call, step)

    return await perform_step(request, caller, matter_id, run)


@router.post(
    "/milestones/{milestone_id}", operation_id="changeMilestone", summary="Move a milestone on"
)
async def change_milestone(
    request: Request,
    matter_id: UUID,
    milestone_id: UUID,
    caller: Caller,
    body: bodies.MilestoneChangeBody,
) -> Response:
    """节点更新: state, date with a reason, evidence, blocker."""
    step = chart.ChangeMilestone(
        str(milestone_id), body.state, body.due_at, body.reason, body.evidence, body.blocker
    )

    def decide(matter: Matter, moment: Moment) -> Decision:
        return chart.change_milestone(matter, step, moment)

    return await _step(request, caller, matter_id, decide)


@router.post("/tasks", operation_id="addTask", summary="Give a department a task")
async def add_task(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.TaskBody
) -> Response:
    """协办任务: the department sees the matter from now on."""
    step = chart.AddTask(new_id(), body.department, body.title, body.due_at)

    async def run(conn: Connection, call: Call) -> StepOutcome:
        return await steps.add_task(conn, edge_of(request).office, matter_id, call, step)

    return await perform_step(request, caller, matter_id, run)


@router.post("/tasks/{task_id}/done", operation_id="finishTask", summary="Say that a task is done")
async def finish_task(request: Request, matter_id: UUID, task_id: UUID, caller: Caller) -> Response:
    """任务完成: by its department or whoever carries the work."""
    step = chart.FinishTask(str(task_id))
    return await _step(request, caller, matter_id, lambda m, at: chart.finish_task(m, step, at))


@router.post("/hold", operation_id="holdMatter", summary="Wait for the requester")
async def hold(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.HoldBody
) -> Response:
    """挂起: clocks pause, until `resume_at` at the latest."""
    step = work.HoldOn(body.reason, body.resume_at)
    return await _step(request, caller, matter_id, lambda m, at: work.hold(m, step, at))


@router.post("/resume", operation_id="resumeMatter", summary="Go on")
async def resume(
    request: Request,
    matter_id: UUID,
    caller: Caller,
    body: Annotated[bodies.EmptyBody | None, Body()] = None,
) -> Response:
    """恢复办理: after a hold, or off the long-term list."""
    return await _step(request, caller, matter_id, lambda m, at: work.resume(m, work.Resume(), at))


@router.post("/extend", operation_id="extendLimit", summary="Move a limit")
async def extend(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.ExtendBody
) -> Response:
    """延期: by 30 days at most without leave; the old limit, the reason and the approver stay on record."""
    step = work.Extend(body.clock, body.new_due_at, body.reason)
    return await _step(request, caller, matter_id, lambda m, at: work.extend(m, step, at))


@router.post("/shelve", operation_id="shelveMatter", summary="Put it on the long-term list")
async def shelve(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.ShelveBody
) -> Response:
    """挂账: looked at again by `review_at`."""
    step = work.PutOnShelf(body.reason, body.review_at)
    return await _step(request, caller, matter_id, lambda m, at: work.shelve(m, step, at))


@router.post("/handle", operation_id="handleMatter", summary="Say what came of it")
async def handle(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.HandleBody
) -> Response:
    """办结: the answer for the requester; the return visit is due next. Straight after acceptance: 立即解决."""
    step = resolution.Handle(body.outcome, body.answer, body.path)
    return await _step(request, caller, matter_id, lambda m, at: resolution.handle(m, step, at))


@router.post("/return-visit", operation_id="recordReturnVisit", summary="Record a return visit")
async def return_visit(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.ReturnVisitBody
) -> Response:
    """回访: by somebody who did none of the work; a content requester settles the matter."""
    step = resolution.ReturnVisit(
        body.reached, body.answered, body.solved, body.satisfaction, body.words
    )

    async def run(conn: Connection, call: Call) -> StepOutcome:
        return await steps.independent_step(conn, edge_of(request).office, matter_id, call, step)

    return await perform_step(request, caller, matter_id, run)


@router.post("/close", operation_id="closeMatter", summary="Settle it")
async def close(
    request: Request,
    matter_id: UUID,
    caller: Caller,
    body: Annotated[bodies.CloseBody | None, Body()] = None,
) -> Response:
    """销号: by a coordinator, after an answered return visit or with a named exemption."""
    step = resolution.Close(body.exemption if body else None)

    async def run(conn: Connection, call: Call) -> StepOutcome:
        return await steps.independent_step(conn, edge_of(request).office, matter_id, call, step)

    return await perform_step(request, caller, matter_id, run)


@router.post("/reopen", operation_id="reopenMatter", summary="Begin another round")
async def reopen(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.ReopenBody
) -> Response:
    """重办: within 15 days of closing, or when the return visit found the requester not content."""
    step = resolution.Reopen(body.cause, body.reason)
    return await _step(request, caller, matter_id, lambda m, at: resolution.reopen(m, step, at))


@router.post("/reject", operation_id="rejectMatter", summary="Say that it is not ours to take")
async def reject(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.RejectBody
) -> Response:
    """不予受理: before anybody took it, with the reason and the lawful channel."""
    step = resolution.Reject(body.reason, body.channel)

    async def run(conn: Connection, call: Call) -> StepOutcome:
        return await steps.reject(conn, edge_of(request).office, matter_id, call, step)

    return await perform_step(request, caller, matter_id, run)


@router.post("/merge", operation_id="mergeMatter", summary="Follow it in another matter")
async def merge(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.MergeBody
) -> Response:
    """并单: the same requester, the same problem; it can be undone."""

    async def run(conn: Connection, call: Call) -> StepOutcome:
        ids = (matter_id, body.into)
        return await steps.merge(conn, edge_of(request).office, ids, call, body.reason)

    return await perform_step(request, caller, matter_id, run)


@router.post("/unmerge", operation_id="unmergeMatter", summary="Undo a merge")
async def unmerge(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.UnmergeBody
) -> Response:
    """撤销并单: it goes on by itself, with the promises that it had."""
    step = links.Unmerge(body.reason)
    return await _step(request, caller, matter_id, lambda m, at: links.unmerge(m, step, at))


@router.post("/join", operation_id="joinMatters", summary="Link it to others of the same problem")
async def join(
    request: Request, matter_id: UUID, caller: Caller, body: bodies.JoinBody
) -> Response:
    """共性事项: different firms, one problem; each keeps its liaison, its answer and its return visit."""
    joint_id = str(body.joint_id or new_id())
    others = dict.fromkeys(each for each in body.others if each != matter_id)
    ids = [matter_id, *others]

    async def run(conn: Connection, call: Call) -> StepOutcome:
        step = links.Join(joint_id, body.title)
        return await steps.join(conn, edge_of(request).office, ids, call, step)

    return await perform_step(request, caller, matter_id, run)
