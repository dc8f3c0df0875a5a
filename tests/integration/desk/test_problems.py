"""A person is shown a page whatever goes wrong, in the language of the reader; a program gets the document."""

import pytest

from tests.integration.desk.conftest import Desk

MATTER = "/desk/matters/01980000-0000-7000-8000-000000000001"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/desk?view=none", 422),
        ("GET", "/desk/matters/none", 422),
        ("GET", f"{MATTER}?part=none", 422),
        ("GET", "/desk/chart?screen=perhaps", 422),
        ("GET", "/desk/stream?matter=none", 422),
        ("GET", "/desk/nowhere", 404),
        ("GET", "/desk/", 404),
        ("GET", "/sign-out", 405),
        ("POST", "/me/nothing", 405),
        ("POST", f"{MATTER}/steps/milestones?part=none", 422),
        ("POST", "/desk/offers/none/accept", 422),
        # The services of this desk break.
        ("GET", "/desk", 500),
        ("GET", MATTER, 500),
        ("GET", "/desk/search", 500),
        ("GET", "/desk/chart", 500),
        ("POST", f"{MATTER}/steps/hold", 500),
    ],
)
async def test_a_problem_is_a_page(desk: Desk, method: str, path: str, status: int):
    await desk.add_account()
    browser = await desk.signed_in()
    for lang, home in (("zh", "zh-CN"), ("en", "en")):
        url = f"{path}{'&' if '?' in path else '?'}lang={lang}"
        answer = await browser.request(method, url, headers=BROWSER)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("text/html")
        assert f'<html lang="{home}">' in answer.text
        assert 'role="alert"' in answer.text


@pytest.mark.parametrize(("path", "status"), [("/desk/nowhere", 404), ("/sign-out", 405)])
async def test_a_program_gets_the_document_of_an_unknown_address(
    desk: Desk, path: str, status: int
):
    browser = await desk.browser()
    answer = await browser.get(path, headers={"accept": "application/json"})
    assert answer.status_code == status == answer.json()["status"]
    assert (answer.headers.get("allow") == "OPTIONS, POST") == (status == 405)


@pytest.mark.parametrize("broken", ["/ask", "/r/AAAA/messages"])
async def test_a_break_behind_a_public_page_is_a_page(desk: Desk, broken: str):
    browser = await desk.browser()
    who = {"who": "resident", "contact_name": "祝予安", "phone": "13800000000", "kind": "help"}
    asked = who | {"summary": "路灯不亮", "detail": "南门的路灯不亮", "message": "还是不亮"}
    answer = await browser.post(broken, data=asked)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")


async def test_the_address_of_a_refused_step_opens_its_form_in_the_other_language(desk: Desk):
    browser = await desk.browser()
    answer = await browser.get(f"{MATTER}/steps/hold?lang=en")
    assert answer.headers["location"] == f"{MATTER}?step=hold&lang=en#step"
    answer = await browser.get(f"{MATTER}/steps/task-done?part=%26x")
    assert answer.headers["location"] == f"{MATTER}?step=task-done&part=%26x#step"
    answer = await browser.get("/desk/offers/01980000-0000-7000-8000-000000000001/decline")
    assert answer.headers["location"] == "/desk"


async def test_the_links_to_the_other_language_lead_to_the_same_view(desk: Desk):
    await desk.add_account()
    browser = await desk.signed_in()
    page = await browser.get("/desk?view=%22none&cursor=a&done=accepted&lang=zh", headers=BROWSER)
    assert 'href="?view=%22none&amp;cursor=a&amp;lang=en"' in page.text


SCRIPT = {"hx-request": "true"}


@pytest.mark.parametrize("path", [MATTER, "/desk/chart", "/desk?view=none"])
async def test_a_part_that_cannot_be_made_anew_leaves_the_page_as_it_is(desk: Desk, path: str):
    await desk.add_account()
    browser = await desk.signed_in()
    answers = [await browser.get(path, headers=SCRIPT)]
    await browser.post("/sign-out")
    answers.append(await browser.get(path.partition("?")[0], headers=SCRIPT))
    assert answers[1].status_code == 401
    for answer in answers:
        assert answer.headers["hx-retarget"] == "#trouble"
        assert answer.headers["hx-reselect"] == ".trouble"
        assert '<div class="trouble"' in answer.text


async def test_a_form_that_can_be_sent_again_stays(desk: Desk):
    browser = await desk.browser(**{"hx-request": "true"})
    answer = await browser.post("/desk/offers/none/decline")
    assert answer.status_code == 422
    assert answer.headers["hx-retarget"] == "#trouble"
    assert "errors" not in answer.text  # what is wrong stands there in words
    gone = await browser.post("/me/second-factor-off", headers={"sec-fetch-site": "cross-site"})
    assert gone.status_code == 403
    assert "hx-retarget" not in gone.headers
