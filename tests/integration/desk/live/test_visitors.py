"""Who may look, in which language, and what a page is sent with."""

import pytest

from tests.integration.desk.live.conftest import Site

STAFF = ("L001", "D-ROAD", "C001", "O001")


async def test_a_page_that_is_not_open_leads_to_the_form(site: Site):
    site.open_to_all(False)
    answer = await site.get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2F")
    refused = await site.get("/live/stream")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert "令牌" in (await site.get("/sign-in?next=%2F")).text


@pytest.mark.parametrize("token", STAFF)
async def test_any_of_the_staff_may_look(site: Site, token: str):
    site.open_to_all(False)
    answer = await site.sign_in(token)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert (await site.get("/")).status_code == 200
    assert "退出" in (await site.get("/")).text
    async with site.stream() as told:
        assert told.answer.status_code == 200
    before = dict(site.client.cookies)
    await site.client.post("/sign-out")
    assert (await site.get("/")).status_code == 303
    answer = await site.get(
        "/live/stream", headers={"cookie": f"liaison_session={before['liaison_session']}"}
    )
    assert answer.status_code == 401, "the session has ended, not only its cookie"


@pytest.mark.parametrize("token", ["system", "nobody", "", "x" * 5000])
async def test_nobody_else_may(site: Site, token: str):
    site.open_to_all(False)
    answer = await site.sign_in(token)
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert 'role="alert"' in answer.text
    assert token not in answer.text or not token
    bearer = {"authorization": f"Bearer {token}".strip()}
    assert (await site.get("/", headers=bearer)).status_code == (401 if token else 303)


async def test_a_program_may_show_its_token_as_everywhere(site: Site):
    site.open_to_all(False)
    answer = await site.get("/", headers={"authorization": "Bearer O001"})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/token", "/sign-out"])
async def test_a_form_of_another_site_is_refused(site: Site, path: str):
    answer = await site.client.post(
        path, data={"token": "O001"}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_the_cookie_opens_the_page_and_no_interface(site: Site):
    await site.sign_in("C001")
    assert (await site.get("/followup/matters")).status_code == 401


async def test_chinese_is_first_and_the_choice_is_remembered(site: Site):
    english = {"accept-language": "en"}
    assert '<html lang="zh-CN">' in (await site.get("/", headers=english)).text
    assert '<html lang="en">' in (await site.get("/?lang=en")).text
    assert '<html lang="en">' in (await site.get("/")).text
    assert '<html lang="zh-CN">' in (await site.get("/?lang=xx&lang=zh")).text


@pytest.mark.parametrize("path", ["/", "/docs", "/?lang=en", "/sign-in", "/live-not"])
async def test_nothing_of_a_page_comes_from_elsewhere_or_inline(site: Site, path: str):
    answer = await site.get(path)
    if answer.status_code == 404:
        assert answer.headers["content-type"] == "application/problem+json"
        return
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "<style" not in answer.text
    assert " style=" not in answer.text
    assert "<script>" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
