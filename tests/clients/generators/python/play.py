"""Plays a request to its first feedback by the client of openapi-python-client."""

import json
import os
import time
from typing import TypeVar

from liaison_client import AuthenticatedClient
from liaison_client.api.followup import give_feedback, list_matters
from liaison_client.api.intake import submit_request
from liaison_client.api.routing import accept_offer, get_queue
from liaison_client.models import (
    Acknowledgement,
    Channel,
    FeedbackBody,
    IntakeRequester,
    Kind,
    MatterShown,
    PageOfMatterInList,
    PageOfQueueItem,
    ProblemDocument,
    RequesterKind,
    Submission,
)

Found = TypeVar("Found")


def client(role: str) -> AuthenticatedClient:
    return AuthenticatedClient(os.environ["ORIGIN"], os.environ[role])


def expected(kind: type[Found], found: object) -> Found:
    assert isinstance(found, kind), found
    return found


def submission(summary: str) -> Submission:
    return Submission(
        source="https://one-stop.example/python",
        source_ref=os.environ["REF"],
        channel=Channel.WEB,
        kind=Kind.HELP,
        requester=IntakeRequester(
            kind=RequesterKind.ENTERPRISE, id=os.environ["FIRM"], name=os.environ["FIRM_NAME"]
        ),
        summary=summary,
        detail="雨后积水约二十厘米,货车无法进出。",
    )


def offered(liaison: AuthenticatedClient, matter: str) -> str:
    for _ in range(100):
        page = expected(PageOfQueueItem, get_queue.sync("me", client=liaison, limit=200))
        for item in page.items:
            if str(item.matter_id) == matter:
                return str(item.offer_id)
        time.sleep(0.2)
    raise AssertionError("not offered within 20 s")


system, liaison = client("SYSTEM"), client("LIAISON")
answer = submit_request.sync_detailed(client=system, body=submission("园区北门道路积水"))
taken = expected(Acknowledgement, answer.parsed)
matter = str(taken.request_id)
offer = offered(liaison, matter)
accept_offer.sync_detailed(offer, client=liaison)
told = expected(
    MatterShown, give_feedback.sync(matter, client=liaison, body=FeedbackBody("已派人查看"))
)
listed = expected(PageOfMatterInList, list_matters.sync(client=liaison, limit=200))
refused = submit_request.sync_detailed(client=system, body=submission(""))
problem = expected(ProblemDocument, refused.parsed)
print(  # noqa: T201 - the line that is checked
    json.dumps(
        {
            "status": answer.status_code,
            "receipt": taken.receipt,
            "state": told.state,
            "listed": matter in {str(each.matter_id) for each in listed.items},
            "problem": problem.type_,
            "pointer": problem.errors[0].pointer if problem.errors else None,
        }
    )
)
