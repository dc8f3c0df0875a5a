"""What watches over the stack asks for figures that there are, and says where to read on."""

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from prometheus_client.metrics import MetricWrapperBase

import deploy
import services
import shared
from tests.compose import dashboard
from tests.compose.observing import ALERTS, CASES
from tests.meta.test_runbook import anchors

ROOT = Path(__file__).parents[2]
OPERATIONS = ROOT / "docs" / "operations"
ALERT = re.compile(r"^      - alert: (\w+)\n(.*?)(?=^      - alert: |\Z)", re.MULTILINE | re.DOTALL)
RUNBOOK = re.compile(r"runbook: (docs/operations/\w+\.md)#([\w-]+)$", re.MULTILINE)
NAME = re.compile(r"\bliaison_\w+")
PARTS = re.compile(r"_(bucket|sum|count)$")
ROW = re.compile(r"^\| `(liaison_\w+)` \| ([\w, ]+) \| \S", re.MULTILINE)
OF_AN_ISSUER = re.compile(r"liaison_(issuer|signed|desk_key)")
WORDS = {
    "result",
    "service",
    "topic",
    "fate",
    "task",
    "method",
    "route",
    "status",
    "reason",
    "state",
}
"""Labels whose values are of closed sets; nothing that names a matter or a person."""


def defined() -> dict[str, tuple[str, ...]]:
    """The metrics of the code by their names in Prometheus, with their labels."""
    for package in (services, shared, deploy):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
    metrics = [each for each in REGISTRY._collector_to_names if isinstance(each, MetricWrapperBase)]
    named = {each._name + "_total" * (each._type == "counter"): each for each in metrics}
    return {
        name: tuple(each._labelnames) for name, each in named.items() if name.startswith("liaison_")
    }


METRICS = defined()
ALERTS_BY_NAME = dict(ALERT.findall(ALERTS.read_text(encoding="utf-8")))
EACH_ALERT = pytest.mark.parametrize("name", ALERTS_BY_NAME)


def asked_for(expression: str) -> set[str]:
    """The metrics that an expression is about."""
    names = set(NAME.findall(expression))
    return {name if name in METRICS else PARTS.sub("", name) for name in names}


def test_alerts_are_read_as_they_are_written():
    assert len(ALERTS_BY_NAME) == ALERTS.read_text(encoding="utf-8").count("alert: ") > 8


@EACH_ALERT
def test_an_alert_says_what_is_seen_and_where_to_read_on(name: str):
    rule = ALERTS_BY_NAME[name]
    assert re.search(r"^          summary: .{20,}$", rule, re.MULTILINE)
    ((page, anchor),) = RUNBOOK.findall(rule)
    assert anchor in anchors(ROOT / page)
    section = re.split(r"^### ", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE)
    (about,) = [part for part in section if f"*{name}.*" in part]
    assert about.splitlines()[0].lower().replace(" ", "-") == anchor
    assert "```sh\n" in about or "](kafka.md#" in about, "no command to begin with"


@EACH_ALERT
def test_an_alert_asks_for_figures_that_there_are(name: str):
    expression = ALERTS_BY_NAME[name].split("annotations:")[0]
    assert asked_for(expression) <= METRICS.keys()
    assert NAME.search(expression) or "up{" in expression or "node_filesystem_" in expression


@EACH_ALERT
def test_an_alert_is_tried_where_it_must_fire_and_where_it_must_not(name: str):
    cases = CASES.read_text(encoding="utf-8")
    assert re.search(rf"{{ eval_time: \w+, alertname: {name} }}", cases)
    assert f"labels: '{{alertname=\"{name}\"}}', value: 1" in cases


def test_the_dashboard_asks_for_figures_that_there_are():
    asked = list(dashboard.expressions())
    assert {title for title, _ in asked} == {panel["title"] for panel in dashboard.panels()}
    assert len(asked) > 15
    for title, expression in asked:
        assert asked_for(expression) <= METRICS.keys(), title
        assert NAME.search(expression) or "up{" in expression or "node_filesystem_" in expression, (
            title
        )
        assert "$" not in expression, title


def test_the_dashboard_shows_every_figure():
    """Those of an issuer are there only where one is set: a panel of them would be empty elsewhere."""
    shown = {name for _, asked in dashboard.expressions() for name in asked_for(asked)}
    assert shown == {name for name in METRICS if not OF_AN_ISSUER.match(name)}


def test_the_page_of_figures_names_what_there_is():
    rows = ROW.findall((OPERATIONS / "figures.md").read_text(encoding="utf-8"))
    assert len(rows) == len(METRICS)
    assert {name: tuple(labels.split(", ")) for name, labels in rows} == METRICS


def test_no_label_names_a_matter_or_a_person():
    assert {label for labels in METRICS.values() for label in labels} <= WORDS


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("rate(liaison_pool_wait_seconds_bucket[1m])", {"liaison_pool_wait_seconds"}),
        ("liaison_nothing", {"liaison_nothing"}),
        ("up == 0", set()),
    ],
)
def test_what_an_expression_asks_for_is_found(expression: str, names: set[str]):
    assert asked_for(expression) == names
