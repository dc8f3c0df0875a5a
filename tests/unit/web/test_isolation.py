"""Strangers' words on the live page turn nothing round but themselves: each stands in a <bdi> of its own."""

from datetime import UTC, datetime
from html.parser import HTMLParser

from services.desk.pages.live.view_models import ArrivalRow, Board, DueRow
from services.desk.pages.wording import MomentInWords
from shared.web.look import assets, render

STRANGE = "\u202eكلمة\u2066\u2069<b>"
AT = MomentInWords(datetime(2026, 3, 2, tzinfo=UTC).isoformat(), "10:00")


class Texts(HTMLParser):
    """Each text of a page with the element that it stands in."""

    def __init__(self) -> None:
        super().__init__()
        self.path: list[str] = []
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.path.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.path.pop() == tag

    def handle_data(self, data: str) -> None:
        self.found.append((self.path[-1] if self.path else "", data))


def board() -> Board:
    words = {name: f"{STRANGE}{name}" for name in ("summary", "party", "rule", "why", "whose")}
    arrival = ArrivalRow(
        "k", AT, words["summary"], (f"{STRANGE}fact", f"{STRANGE}park"), None, None,
        words["party"], "l", words["rule"], words["why"], "closed", "l",
    )  # fmt: skip
    due = DueRow("k", "clock", "in 1 h", False, words["summary"], words["whose"], AT)
    return Board(True, AT, (arrival,), (due,), (), (), 0, None, ())


def test_case_48_each_text_of_a_stranger_is_isolated() -> None:
    for region, count in (("arrivals", 6), ("due", 2)):
        page = Texts()
        page.feed(render(f"live/{region}.html", "en", board=board()))
        strange = [place for place, text in page.found if STRANGE in text]
        assert strange == ["bdi"] * count, region


def test_case_48_what_is_announced_is_isolated_too() -> None:
    script = assets()["live.js"].content.decode()
    assert "\\u2068${unread[0].dataset.summary.replace(TURNING" in script
