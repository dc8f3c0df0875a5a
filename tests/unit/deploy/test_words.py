"""Every word that the launcher may say is in the catalogue, in both languages."""

import re
from pathlib import Path
from string import Formatter

import pytest

from deploy.common.trouble import Trouble
from deploy.common.words import say, say_trouble, tongue
from shared.messages.catalogue import LANGUAGES, catalogue

DEPLOY = Path(__file__).parents[3] / "deploy"
FORMS = {
    r'Trouble\(\s*"([\w.]+)"': ("deploy.trouble.{}.what", "deploy.trouble.{}.mend"),
    r'run_to_end\([^"]*"([\w.]+)"': ("deploy.trouble.{}.what", "deploy.trouble.{}.mend"),
    r'Step\("([\w.]+)"': ("deploy.step.{}",),
    r'Note\("([\w.]+)"': ("deploy.note.{}",),
    r'(?<!\w)say\("([\w.]+)"': ("deploy.{}",),
    r'Finding\("(?:note|bad)", "([\w.]+)"': ("deploy.doctor.{}.what", "deploy.doctor.{}.mend"),
    r'Finding\("good", "([\w.]+)"': ("deploy.doctor.{}.what",),
}


def wanted() -> set[str]:
    found = set()
    for source in DEPLOY.rglob("*.py"):
        if "sample_town" in source.relative_to(DEPLOY).parts:
            continue
        text = source.read_text(encoding="utf-8")
        for pattern, keys in FORMS.items():
            found |= {key.format(name) for name in re.findall(pattern, text) for key in keys}
    return found


def test_there_are_words_for_everything_in_both_languages():
    keys = wanted()
    assert len(keys) > 60
    for lang in LANGUAGES:
        assert keys - catalogue(lang).keys() == set()


def test_there_are_words_for_every_way_in_which_a_history_is_not_right():
    source = (DEPLOY.parent / "shared" / "audit" / "verification.py").read_text(encoding="utf-8")
    keys = set(re.findall(r'Altered\(\s*"(\w+)"', source))
    assert len(keys) > 5
    for lang in LANGUAGES:
        assert {f"deploy.audit.{key}" for key in keys} - catalogue(lang).keys() == set()


def test_both_languages_say_the_same_things_of_the_same_particulars():
    chinese, english = (catalogue(lang) for lang in ("zh", "en"))
    ours = [key for key in chinese.keys() | english.keys() if key.startswith("deploy.")]
    for key in ours:
        assert fields(chinese[key]) == fields(english[key]), key


def fields(message: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(message) if name}


@pytest.mark.parametrize(
    ("settings", "lang"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LIAISON_LANG": "zh"}, "zh"),
    ],
)
def test_the_terminal_chooses_the_language(settings, lang, monkeypatch: pytest.MonkeyPatch):
    for name in ("LIAISON_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert tongue() == lang


def test_a_trouble_says_what_it_is_and_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LIAISON_LANG", "en")
    what, mend = say_trouble(Trouble("port.taken", port=8000))
    assert "8000" in what
    assert "--port 0" in mend
    monkeypatch.setenv("LIAISON_LANG", "zh")
    assert "端口 8000" in say_trouble(Trouble("port.taken", port=8000))[0]
    assert say("status.ready") == "就绪"
