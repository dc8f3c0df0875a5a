"""The form of a request: which submission it makes, and which words stand beside which field."""

from html.parser import HTMLParser
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.desk.pages.public.ask_form import FIELDS, AskForm, blank_ask, read_ask
from services.desk.pages.public.routes import drawn_key
from shared.contracts.fields import uscc
from shared.contracts.submission import Submission
from shared.contracts.vocabulary import RequesterKind
from shared.messages.catalogue import LANGUAGES
from shared.web.look import render

BODY = "91310117MA1000777"
CODE = BODY + uscc.check_character(BODY)
KEY = "7f1d6f0e-0d5f-4d0f-9a51-0a9c8e8f6a11"
GOOD = {
    "key": KEY,
    "who": "enterprise",
    "code": CODE,
    "name": "云杉精密",
    "contact_name": "某联系人",
    "phone": "000-5550-0101",
    "kind": "help",
    "summary": "道路积水",
    "detail": "一\n二",
}
TEXTS = st.text(max_size=300) | st.sampled_from(
    ["\0", "\u202e" * 3, "<script>", "\ufeff", "x" * 20_000, "﷽", "\u200b", "'\"><b>", "{{ 7*7 }}"]
)


def words(lang: str = "zh", **changes: str) -> dict[str, str]:
    form = read_ask({**GOOD, **changes})
    return {notice.field: notice.words for notice in form.notices(lang)}


def shown(form: AskForm, lang: str = "zh") -> str:
    notices = form.notices(lang)
    return render(
        "ask/form.html",
        lang,
        here="ask",
        form=form.values,
        key=form.key,
        notices=notices,
        errors={notice.field: notice.words for notice in notices},
        banner=None,
        before=None,
    )


@pytest.mark.parametrize(
    "typed",
    [
        CODE.lower(),
        f" {CODE[:2]} {CODE[2:8]}-{CODE[8:]} ",
        "".join(chr(ord(each) + 0xFEE0) for each in CODE),
    ],
)
def test_a_code_is_taken_as_it_is_typed(typed: str):
    form = read_ask({**GOOD, "code": typed})
    assert form.notices("zh") == ()
    assert form.requester_id == CODE


def test_each_field_has_words_of_its_own_when_it_is_empty():
    empty = read_ask({"key": KEY})
    for lang in LANGUAGES:
        notices = empty.notices(lang)
        assert [notice.field for notice in notices] == [
            "who", "name", "contact_name", "phone", "kind", "summary", "detail",
        ]  # fmt: skip
        assert len({notice.words for notice in notices}) == len(notices)
    assert words(code="")["code"].startswith("请填写营业执照上的")
    assert "校验位" in words(code=BODY + ("0" if CODE[-1] != "0" else "1"))["code"]
    assert words(phone="call me")["phone"].startswith("请填写能打通的电话号码")
    assert "200" in words(summary="长" * 201)["summary"]
    assert "看不见的排版符号" in words(name="\u202e名")["name"]


@pytest.mark.parametrize(
    "phone",
    [
        "+86 138 0000 0000",
        "０２１－６７６０１２３４",
        "021-67601234转801",
        "13800000000、13900000000",
    ],
)
def test_a_phone_is_taken_as_it_is_typed(phone: str):
    form = read_ask({**GOOD, "phone": f" {phone} "})
    assert form.notices("zh") == ()
    assert form.submission()["requester"]["contact"]["phone"] == phone


def test_who_has_no_code_is_known_by_the_request_alone():
    resident = read_ask({**GOOD, "who": "resident", "code": "junk", "name": ""})
    assert resident.notices("zh") == ()
    made = resident.submission()
    assert made["requester"]["id"] == f"ask-{resident.source_ref}"
    assert made["requester"]["name"] == "某联系人"
    assert read_ask({**GOOD, "who": "resident", "contact_name": ""}).notices("zh")[0].field == (
        "contact_name"
    )
    assert read_ask({**GOOD, "who": "organisation", "code": CODE.lower()}).requester_id == CODE
    without = read_ask({**GOOD, "who": "organisation", "code": ""})
    assert without.requester_id.startswith("ask-")
    assert without.notices("zh") == ()


def test_the_same_form_makes_the_same_submission_and_hides_its_key():
    form = read_ask(GOOD)
    assert form.submission() == read_ask(dict(GOOD)).submission()
    assert UUID(form.source_ref)
    assert KEY not in str(form.submission())
    assert read_ask({**GOOD, "key": "' or 1"}).key != read_ask({**GOOD, "key": ""}).key
    assert drawn_key(KEY.upper()) == KEY


class Fields(HTMLParser):
    """What a browser would send of a page's form again."""

    def __init__(self) -> None:
        super().__init__()
        self.values = dict.fromkeys(FIELDS, "")
        self.tags: list[str] = []
        self.area: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        if tag == "textarea":
            self.area = found["name"]
        elif tag == "input" and (found["type"] not in ("radio", "checkbox") or "checked" in found):
            self.values[found["name"]] = found["value"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self.area:
            self.values[self.area] = self.values[self.area].removeprefix("\n")
            self.area = None

    def handle_data(self, data: str) -> None:
        if self.area:
            self.values[self.area] += data


@settings(max_examples=40)
@given(st.fixed_dictionaries({name: TEXTS for name in FIELDS}))
def test_whatever_is_typed_stays_and_is_inert(sent: dict[str, str]):
    form = read_ask(sent)
    for notice in form.notices("en"):
        assert notice.field in (*FIELDS, "")
    page = Fields()
    page.feed(shown(form))
    assert "script" not in page.tags
    assert page.tags.count("input") == page_of(blank_ask()).tags.count("input")
    for name in ("code", "name", "contact_name", "phone", "summary", "detail", "place"):
        assert page.values[name] == sent[name], name


def page_of(form: AskForm) -> Fields:
    page = Fields()
    page.feed(shown(form))
    return page


@settings(max_examples=40)
@given(st.fixed_dictionaries({name: TEXTS for name in FIELDS}))
def test_a_form_without_notices_is_a_submission(sent: dict[str, str]):
    form = read_ask({**GOOD, **{name: text for name, text in sent.items() if len(text) % 2}})
    if not form.notices("zh"):
        made = Submission.model_validate(form.submission())
        assert made.requester.kind in tuple(RequesterKind)
