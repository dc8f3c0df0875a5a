"""Every word that a person sees is there in both languages and says the same things."""

import ast
import json
import re
import string
from pathlib import Path

import pytest

from shared.messages import catalogue as module
from shared.messages.catalogue import catalogue, choose_language, text

ROOT = Path(__file__).parents[3]
AREAS = sorted(file.name.removesuffix(".zh.json") for file in module.FOLDER.glob("*.zh.json"))


def fields(words: str) -> set[str]:
    """The values a message asks for; how it writes one (a date's parts) is its language's own."""
    named = (name for _, name, _, _ in string.Formatter().parse(words) if name is not None)
    return {re.split(r"[.\[]", name)[0] for name in named}


def area(name: str, lang: str) -> dict[str, str]:
    return json.loads((module.FOLDER / f"{name}.{lang}.json").read_text(encoding="utf-8"))


def test_each_area_has_both_languages():
    english = {file.name.removesuffix(".en.json") for file in module.FOLDER.glob("*.en.json")}
    assert set(AREAS) == english
    assert "shared" in AREAS


@pytest.mark.parametrize("name", AREAS)
def test_both_languages_have_the_same_keys_in_the_same_order(name: str):
    assert list(area(name, "zh")) == list(area(name, "en"))


@pytest.mark.parametrize("name", AREAS)
def test_both_languages_ask_for_the_same_values(name: str):
    chinese, english = area(name, "zh"), area(name, "en")
    different = {key for key in chinese if fields(chinese[key]) != fields(english[key])}
    assert different == set()


@pytest.mark.parametrize("name", AREAS)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_message_is_empty_or_numbered(name: str, lang: str):
    for key, words in area(name, lang).items():
        assert words.strip() != "", key
        assert not any(field == "" or field[:1].isdigit() for field in fields(words)), key


@pytest.mark.parametrize("name", AREAS)
def test_chinese_is_chinese_and_english_is_not(name: str):
    def han(words: str) -> bool:
        return any("\u4e00" <= character <= "\u9fff" for character in words)

    chinese = area(name, "zh")
    assert sum(han(words) for words in chinese.values()) >= 0.8 * len(chinese)
    # A town's own words may be quoted in English; a whole message may not be left untranslated.
    english = area(name, "en")
    same = {key for key in english if english[key] == chinese[key] and han(english[key])}
    assert same == set()


def test_no_key_is_defined_twice():
    for lang in module.LANGUAGES:
        assert len(catalogue(lang)) == sum(len(area(name, lang)) for name in AREAS)


def test_a_key_in_two_areas_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("a", "b"):
        (tmp_path / f"{name}.zh.json").write_text('{"key": "x"}', encoding="utf-8")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    with pytest.raises(ValueError, match="defines again: key"):
        catalogue.__wrapped__("zh")


def test_every_problem_has_a_title_and_a_detail():
    for lang in module.LANGUAGES:
        keys = {key for key in catalogue(lang) if key.startswith("problem.")}
        codes = {key.split(".")[1] for key in keys}
        assert keys == {f"problem.{code}.{part}" for code in codes for part in ("title", "detail")}


def problems_raised() -> list[tuple[str, str, set[str] | None]]:
    """(place, code, names of the params) of each Problem that is made with a literal code."""
    found = []
    for folder in ("shared", "services", "deploy"):
        for file in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Problem":
                    found += described(f"{file.relative_to(ROOT)}:{node.lineno}", node)
    return found


def described(place: str, call: ast.Call) -> list[tuple[str, str, set[str] | None]]:
    if len(call.args) < 2 or not isinstance(call.args[1], ast.Constant):
        return []
    given = [keyword.value for keyword in call.keywords if keyword.arg == "params"]
    names: set[str] | None = set()
    if given:
        literal = isinstance(given[0], ast.Dict) and all(
            isinstance(key, ast.Constant) for key in given[0].keys
        )
        names = {key.value for key in given[0].keys} if literal else None
    return [(place, call.args[1].value, names)]


def test_every_problem_that_is_raised_is_in_the_catalogue_with_its_values():
    raised = problems_raised()
    assert len(raised) > 5
    for place, code, names in raised:
        for part in ("title", "detail"):
            words = catalogue("zh")[f"problem.{code}.{part}"]
            assert names is None or fields(words) <= names, f"{place}: {code}.{part}"


def test_values_are_filled_in():
    assert text("problem.too_large.detail", "en", limit=5).startswith(
        "The body may have at most 5 bytes"
    )
    assert "5" in text("problem.too_large.detail", "zh", limit=5)
    assert text("problem.too_large.title", "fr") == text("problem.too_large.title", "zh")
    with pytest.raises(KeyError):
        text("no.such.key")
    with pytest.raises(KeyError):
        text("problem.too_large.detail", "en")


@pytest.mark.parametrize(
    ("asked", "accept", "chosen"),
    [
        (None, None, "zh"),
        (None, "", "zh"),
        (None, "en-GB,en;q=0.9", "en"),
        (None, "zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        (None, "en;q=0.1, zh;q=0.9", "zh"),
        (None, "fr, en;q=0.5", "en"),
        (None, "fr, de", "zh"),
        (None, "english", "zh"),
        (None, "EN-us", "en"),
        (None, "en;q=0", "zh"),
        (None, "en;q=lots", "en"),
        (None, "en;q=9.9", "en"),
        ("en", "zh", "en"),
        ("zh", "en", "zh"),
        ("fr", "en", "en"),
        (None, "," * 10_000 + "en", "zh"),
    ],
)
def test_the_language_is_what_the_reader_wants_most(
    asked: str | None, accept: str | None, chosen: str
):
    assert choose_language(asked, accept) == chosen
