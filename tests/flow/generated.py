"""Makes calls from the API's description, as it is meant and against it, and replays them in any role."""

from collections.abc import Iterator, Mapping
from typing import Final

import requests
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import APIOperation, Case, CheckFunction, GenerationMode, openapi
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)
from schemathesis.core.failures import Failure, FailureGroup

from tests.flow.doors import DOORS
from tests.support.described import FILE
from tests.support.drawing import drawn

EXAMPLES: Final = 5
"""For each operation and each way to make its data."""
CHECKS: Final[list[CheckFunction]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SECONDS: Final = 30


def described_operations() -> Iterator[APIOperation]:
    """Each operation of the description; of a stream the first event is read, and no more."""
    schema = openapi.from_path(FILE)
    schema.config.max_stream_events = 1
    for found in schema.get_all_operations():
        yield found.ok()


def cases_of(operation: APIOperation, things: Mapping[str, str]) -> list[Case]:
    """Calls with data that fits the description and that does not, on the town's own things and on made-up ones."""
    own = {each.name: things[each.name] for each in operation.path_parameters}
    strategies = [operation.as_strategy(generation_mode=mode) for mode in GenerationMode]
    if own:
        strategies += [
            operation.as_strategy(generation_mode=mode, path_parameters=own)
            for mode in GenerationMode
        ]
    return [case for strategy in strategies for case in _drawn(strategy)]


def _drawn(strategy: SearchStrategy[Case]) -> list[Case]:
    try:
        return drawn(strategy, EXAMPLES)
    except Unsatisfiable:
        # Any text is a receipt, so there is none that goes against the description.
        return []


def faults_of(case: Case, url: str, session: requests.Session, token: str | None) -> list[str]:
    """Make the call and hold its answer to the description."""
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    answer = case.call(base_url=url, session=session, headers=headers, timeout=SECONDS)
    try:
        case.validate_response(answer, checks=_checks(case), headers=headers)
    except FailureGroup as group:
        return [_said(case, each) for each in group.exceptions]
    except Failure as fault:
        return [_said(case, fault)]
    return []


def _checks(case: Case) -> list[CheckFunction]:
    if DOORS[case.operation.label].lasting:
        # The description has a stream as one text; schemathesis takes its schema for that of each event.
        return [check for check in CHECKS if check is not response_schema_conformance]
    return CHECKS


def _said(case: Case, fault: Exception) -> str:
    said = " ".join(str(fault).split())[:600]
    return f"{case.operation.label}: {said}"
