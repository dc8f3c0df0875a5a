"""The rehearsal's look at a trace fails for what is not there, and its stand-in is made of what is written down."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.compose import building, ground, tracing
from tests.compose.building import PROGRAM, built, tool
from tests.compose.pages import blocks
from tests.compose.tracing import IMAGE, MATTER, OFFER, UP, spans_of, wanting
from tests.support.traced import PATH_TO_QUEUE

ROOT = Path(__file__).parents[3]
GIVEN = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

Spans = list[dict[str, Any]]


def whole() -> Spans:
    """A trace with all that is wanted, each span the child of the one before."""
    spans: Spans = [
        {"service": service, "name": name, "id": f"{number:016x}", "said": {}}
        for number, (service, name) in enumerate(sorted(PATH_TO_QUEUE), start=1)
    ]
    for before, span in zip([{"id": GIVEN[36:52]}, *spans], spans, strict=False):
        span["parent"] = before["id"]
    spans[0]["said"] = {"cloudevents.event_type": OFFER}
    return spans


def without_one(spans: Spans) -> None:
    spans.pop()


def without_a_parent(spans: Spans) -> None:
    spans[2]["parent"] = "f" * 16


def without_the_offer(spans: Spans) -> None:
    spans[0]["said"] = {}


def test_a_whole_trace_lacks_nothing():
    assert wanting(whole(), GIVEN) == []


@pytest.mark.parametrize("damage", [without_one, without_a_parent, without_the_offer])
def test_what_a_trace_lacks_is_said(damage: Callable[[Spans], None]):
    spans = whole()
    damage(spans)
    assert len(wanting(spans, GIVEN)) == 1


def test_a_trace_that_is_not_there_lacks_everything():
    assert spans_of({"data": None, "errors": [{"code": 404}]}) == []
    assert len(wanting([], GIVEN)) == len(PATH_TO_QUEUE) + 1


def test_spans_are_read_as_jaeger_tells_them():
    told = {
        "processID": "p1",
        "spanID": "b9e608ed0a50cf74",
        "operationName": "POST /intake/requests",
        "references": [{"refType": "CHILD_OF", "spanID": GIVEN[36:52]}],
        "tags": [{"key": "http.response.status_code", "type": "int64", "value": 202}],
    }
    answer = {"data": [{"spans": [told], "processes": {"p1": {"serviceName": "intake"}}}]}
    assert spans_of(answer) == [
        {
            "service": "intake",
            "name": "POST /intake/requests",
            "id": "b9e608ed0a50cf74",
            "parent": GIVEN[36:52],
            "said": {"http.response.status_code": 202},
        }
    ]


def test_page_compose_file_and_rehearsal_speak_of_the_same():
    compose = (ROOT / "docker-compose.yml").read_text("utf-8")
    assert f"image: {IMAGE}\n" in compose
    assert IMAGE in ground.STANDINS
    assert blocks()["traces", 0].strip() == UP
    assert MATTER in blocks()["traces", 1]
    assert tracing.REQUESTS.exists()


def test_a_program_is_built_once_for_what_it_is_made_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    sources, commands = tmp_path / "sources", []
    sources.mkdir()
    assert built(sources) == sources
    (sources / "go.mod").write_text("module a\n\ntool example.com/cmd/b\n")
    (sources / "go.sum").write_text("")

    def run(command: list[str], **_: object) -> str:
        commands.append(command)
        Path(command[command.index("-o") + 1]).write_text("it")
        return ""

    monkeypatch.setattr(building, "run", run)
    monkeypatch.setenv("LIAISON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(building.shutil, "which", lambda _: "/usr/bin/go")
    place = built(sources)
    assert place is not None
    assert [file.name for file in place.iterdir()] == [PROGRAM]
    assert built(sources) == place
    assert len(commands) == 1
    assert commands[0][-1] == "example.com/cmd/b"
    (sources / "go.sum").write_text("another")
    assert built(sources) != place
    monkeypatch.setattr(building.shutil, "which", lambda _: None)
    assert built(sources) is None


def test_the_stand_in_is_of_the_release_that_it_stands_for():
    module = ROOT / "tests" / "compose" / "traces" / "go.mod"
    assert tool(module) == "github.com/jaegertracing/jaeger/cmd/jaeger"
    # Jaeger's second line counts along with its first: 2.13 is 1.76.
    assert "github.com/jaegertracing/jaeger v1.76.0" in module.read_text("utf-8")
