"""A receipt's page as it is rendered: every state, strangers' texts inert and isolated, the forms that are open."""

from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.desk.pages.public.receipt_forms import (
    STEPS,
    missing,
    notices_of_step,
    read_step,
    step_body,
)
from services.desk.pages.public.receipt_view import moment_of, receipt_view
from shared.contracts.vocabulary import MatterState, Outcome
from shared.messages.catalogue import LANGUAGES
from shared.web.look import render
from shared.web.qr import qr_code

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 3, 3, tzinfo=UTC)
STRANGE = "\u202eكلمة\u2066<script>alert(1)</script><b>"
VOID = {"meta", "link", "img", "input", "br"}
CODE = "7K2M9P-X4C8VD-3NHT6W-QZ5R1B"


def status(**changes: Any) -> dict[str, Any]:
    return {
        "state": "in_progress",
        "state_label": "办理中",
        "summary": f"{STRANGE}summary",
        "received_at": "2026-03-02T01:30:00Z",
        "owner": f"{STRANGE}owner",
        "next_due_at": "2026-03-02T02:00:00+00:00",
        "outcome": None,
        "answer": f"{STRANGE}answer",
        "reopen_until": None,
        "merged_into": None,
        "rejection": {"reason": f"{STRANGE}reason", "channel": f"{STRANGE}channel"},
        "may": ["messages", "answer", "withdraw"],
        "timeline": [
            {"at": "2026-03-02T01:30:00Z", "type": "x", "label": "已受理登记"},
            {
                "at": "2026-03-02T02:30:00Z",
                "type": "x",
                "label": "阶段反馈",
                "words": f"{STRANGE}words",
            },
        ],
    } | changes


def rendered(lang: str = "zh", done: str | None = None, **changes: Any) -> str:
    address = f"https://town.example/r/{CODE}"
    return render(
        "receipt/page.html",
        lang,
        here="receipt",
        code=CODE,
        view=receipt_view(status(**changes), NOW, ZONE, lang),
        done=done,
        failed=None,
        typed={},
        errors={},
        keys=dict.fromkeys(STEPS, "k"),
        address=address,
        qr=qr_code(address),
    )


class Texts(HTMLParser):
    """Each text of a page with the element that it stands in, and the names of all elements and attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.path: list[str] = []
        self.found: list[tuple[str, str]] = []
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.path.append(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.path.pop() == tag

    def handle_data(self, data: str) -> None:
        self.found.append((self.path[-1] if self.path else "", data))


@pytest.mark.parametrize("state", MatterState)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_state_has_its_words(state: MatterState, lang: str):
    for outcome in (None, *Outcome):
        page = rendered(lang, state=state.value, outcome=outcome and outcome.value)
        assert f'data-state="{state}"' in page


def test_each_text_of_a_stranger_is_inert_and_isolated():
    page = Texts(rendered())
    strange = [(place, text) for place, text in page.found if STRANGE in text]
    assert [place for place, _ in strange] == ["bdi"] * 6
    assert not page.tags & {"script", "b", "style"}
    assert not page.attributes & {"style", "onclick", "onload"}


def test_only_the_steps_that_are_open_are_offered():
    for may in ([], ["messages"], ["answer"], ["messages", "withdraw"]):
        page = rendered(may=may)
        assert {step for step in STEPS if f'action="/r/{CODE}/{step}?' in page} == set(may)
    assert f"/r/{CODE}/answer" not in rendered(done="answer")
    assert "<form" not in rendered(done="withdraw")


def test_a_promise_that_was_missed_is_named_and_nothing_is_promised_at_the_end():
    assert "已超时" in rendered()
    assert "已超时" not in rendered(next_due_at="2026-03-09T02:00:00Z")
    assert "下一步最晚" not in rendered(state="withdrawn")
    assert moment_of("2026-03-02T16:30:00Z", ZONE, "zh").words == "2026年3月3日 00:30"


def test_a_step_makes_the_body_that_intake_takes():
    assert step_body("messages", read_step("messages", {"message": " 一\n"})) == {"message": "一"}
    assert step_body("withdraw", read_step("withdraw", {})) == {"reason": None}
    answer = read_step("answer", {"solved": "no", "satisfaction": "2", "words": "慢"})
    assert step_body("answer", answer) == {"solved": False, "satisfaction": 2, "words": "慢"}
    for hostile in ("6", "0", "٣", "1e3", "-1", "", "true"):
        body = step_body(
            "answer", read_step("answer", {"solved": hostile, "satisfaction": hostile})
        )
        assert [notice.field for notice in missing("answer", body, "zh")] == [
            "solved",
            "satisfaction",
        ]


def test_intakes_errors_stand_beside_the_fields():
    errors = [("/body/message", "string_too_long", "至多 2000 个字符。"), ("/header/x", "y", "z")]
    (notice,) = notices_of_step("messages", errors, "zh")
    assert (notice.field, notice.words) == ("message", "至多 2000 个字符。")
