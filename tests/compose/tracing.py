"""One request's trace by the profile: posted at the gateway, and asked of Jaeger until it leads to the queue."""

import json
import secrets
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from deploy.common.tokens import SAMPLE
from shared.contracts.vocabulary import Role
from tests.compose.engine import ROOT, Failed, has_image
from tests.compose.ground import Site
from tests.compose.pages import type_block
from tests.support.traced import PATH_TO_QUEUE

IMAGE: Final = "jaegertracing/jaeger:2.13.0"
REQUESTS: Final[Path] = ROOT / "deploy" / "sample_town" / "data" / "requests.jsonl"
FOUND_SECONDS: Final = 60.0
UP: Final = "docker compose --profile observe up --detach --wait"
MATTER: Final = "01890a5d-ac96-774b-bcce-b302099a8057"
"""The matter that the page takes for its example."""

OFFER: Final = "liaison.offer.made.v1"


def look(site: Site) -> str:
    """Raises Failed when the trace of a request is not told whole, or the page does not lead to it."""
    there = has_image(IMAGE)
    # What else the profile has is looked at elsewhere; without the image only the rest of the page can be tried.
    type_block(site, "traces", 0, {UP: f"{UP} --no-recreate traces" if there else ":"})
    given = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
    trace = given[3:35]
    if (said := type_block(site, "traces", 1, {MATTER: _post(site, given)}).split()) != [trace]:
        raise Failed(f"the page finds {said} and not {trace}")
    if not there:
        return f"(not looked at: there is no {IMAGE}, and no go to build it)"
    late = time.monotonic() + FOUND_SECONDS
    with httpx.Client(base_url=f"http://127.0.0.1:{site.ports['traces']}", timeout=10) as client:
        while missing := wanting(spans_of(client.get(f"/api/traces/{trace}").json()), given):
            if time.monotonic() > late:
                raise Failed(f"the trace of a request lacks {missing}")
            time.sleep(1)
    return f"({len(PATH_TO_QUEUE)} kinds of spans of three services in one tree)"


def _post(site: Site, traceparent: str) -> str:
    """A request through the gateway; its matter."""
    first = json.loads(REQUESTS.read_text("utf-8").splitlines()[0])["submission"]
    sent = first | {"source_ref": f"traced-{secrets.token_hex(4)}"}
    headers = {
        "authorization": f"Bearer {site.tokens[SAMPLE[Role.SYSTEM]]}",
        "traceparent": traceparent,
    }
    with httpx.Client(base_url=site.web, verify=site.trust(), timeout=30) as client:
        answer = client.post("/intake/requests", json=sent, headers=headers)
    if answer.status_code != 202:
        raise Failed(f"a request with a trace got {answer.status_code}: {answer.text[:300]}")
    matter: str = answer.json()["request_id"]
    return matter


def spans_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The spans in what Jaeger says of a trace, each with its service and its parent."""
    return [
        {
            "service": trace["processes"][span["processID"]]["serviceName"],
            "name": span["operationName"],
            "id": span["spanID"],
            "parent": next((each["spanID"] for each in span["references"]), ""),
            "said": {tag["key"]: tag["value"] for tag in span["tags"]},
        }
        for trace in answer.get("data") or ()
        for span in trace["spans"]
    ]


def wanting(spans: Iterable[Mapping[str, Any]], given: str) -> list[str]:
    """What a request's trace lacks, in words: a span, the offer's event, or the parent of one that is there."""
    found = list(spans)
    named = {(span["service"], span["name"]) for span in found}
    lacking = [f"{service}: {name}" for service, name in sorted(PATH_TO_QUEUE - named)]
    ids = {span["id"] for span in found} | {given[36:52]}
    lacking += [f"the parent of {span['name']}" for span in found if span["parent"] not in ids]
    if not any(span["said"].get("cloudevents.event_type") == OFFER for span in found):
        lacking.append(OFFER)
    return lacking
