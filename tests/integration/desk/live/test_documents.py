"""What describes the stack, as it is served."""

import re

from markupsafe import escape

from shared.web.guide import FILES, anchor_of
from shared.web.look import assets, document
from tests.integration.desk.live.conftest import Site
from tests.support.prose import ROOT, blocks


async def test_the_api_is_served_as_it_is_committed(site: Site):
    answer = await site.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document("openapi.json")


async def test_the_docs_name_every_operation_in_both_languages(site: Site):
    api = document("openapi.json")
    for lang in ("zh", "en"):
        page = (await site.get(f"/docs?lang={lang}")).text
        for item in api["paths"].values():
            for operation in item.values():
                assert f'id="{operation["operationId"]}"' in page


async def test_the_docs_ask_for_nothing_from_elsewhere(site: Site):
    page = (await site.get("/docs")).text
    assert re.findall(r'(?:src|href)="(?!/|#|\?)([^"]+)"', page) == []


async def test_the_guide_has_every_section_and_program_of_its_file(site: Site):
    for lang, name in FILES.items():
        page = (await site.get(f"/docs/integrating?lang={lang}")).text
        source = (ROOT / "docs" / name).read_text(encoding="utf-8")
        for title in re.findall(r"^## (.+)$", source, re.MULTILINE):
            anchor = anchor_of(title)
            assert f'href="#{anchor}"' in page
            assert f'id="{anchor}"' in page
        programs = [block.text for block in blocks(ROOT / "docs" / name)]
        assert len(programs) > 5
        assert all(str(escape(program)) in page for program in programs)


async def test_the_guide_links_to_what_is_served_alone(site: Site):
    page = (await site.get("/docs/integrating?lang=en")).text
    assert re.findall(r'href="(?!/|#|\?|https://)([^"]+)"', page) == []
    assert 'href="?lang=zh"' in page


async def test_a_browser_is_shown_the_events_and_a_program_gets_the_document(site: Site):
    page = await site.get("/asyncapi", headers={"accept": "text/html,*/*;q=0.8"})
    assert page.headers["content-type"].startswith("text/html")
    found = (await site.get("/asyncapi", headers={"accept": "application/json"})).json()
    assert found["asyncapi"].startswith("3.")
    assert (await site.get("/asyncapi.json")).json() == found
    for channel in found["channels"].values():
        assert channel["address"] in page.text


async def test_a_file_is_kept_for_ever_under_the_address_of_its_version(site: Site):
    asset = assets()["liaison.css"]
    versioned = await site.get(f"/static/liaison.css?v={asset.version}")
    assert versioned.content == asset.content
    assert "immutable" in versioned.headers["cache-control"]
    assert "immutable" not in (await site.get("/static/liaison.css?v=old")).headers["cache-control"]


async def test_there_is_no_way_out_of_the_folder(site: Site):
    for name in ("..%2Flook.py", "%2e%2e/look.py", "look.py", ""):
        assert (await site.get(f"/static/{name}")).status_code == 404
