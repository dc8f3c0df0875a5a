"""Every word that routing can say is in the catalogue, in both languages, and a reason reads as a sentence."""

import re
from pathlib import Path

import pytest

import services.routing
from services.routing.domain.choice import Considered, Verdict
from services.routing.domain.matter import Cause, ObjectionState
from services.routing.domain.parties import Party
from services.routing.handlers import wording
from shared.contracts.vocabulary import Candidacy, OfferState, PartyKind
from shared.messages.catalogue import catalogue

SOURCES = [
    file.read_text(encoding="utf-8") for file in Path(services.routing.__path__[0]).rglob("*.py")
]


def found(pattern: str) -> set[str]:
    return {name for source in SOURCES for name in re.findall(pattern, source)}


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_label_and_every_fault_has_words(lang: str):
    needed = {
        *(f"routing.candidacy.{one}" for one in Candidacy),
        *(f"routing.verdict.{one}" for one in Verdict),
        *(f"routing.cause.{one}" for one in Cause),
        *(f"routing.state.{one}" for one in OfferState),
        *(f"routing.objection.{one}" for one in ObjectionState),
        *(f"routing.sheet.{code}" for code in found(r'(?:Remark|_fault|_unusable)\(\s*"(\w+)"')),
    }
    problems = found(r'Problem\(\s*\d+,\s*"(\w+)"') | {"suggests_itself", "no_such_owner"}
    needed |= {f"problem.{code}.{part}" for code in problems for part in ("title", "detail")}
    assert len(needed) > 60
    assert needed - catalogue(lang).keys() == set()


def test_both_languages_have_the_same_keys_and_places_to_fill():
    zh, en = (
        {key: words for key, words in catalogue(lang).items() if "routing" in key}
        for lang in ("zh", "en")
    )
    assert zh.keys() == en.keys()
    for key, words in zh.items():
        assert set(re.findall(r"{(\w+)}", words)) >= set(re.findall(r"{(\w+)}", en[key])), key


def test_a_reason_says_who_could_not_who_does_and_by_which_rule():
    considered = (
        Considered(Party("L1", PartyKind.LIAISON, "甲"), Candidacy.PRIMARY, Verdict.ABSENT),
        Considered(Party("L2", PartyKind.LIAISON, "乙"), Candidacy.DEPUTY, Verdict.TAKEN),
        Considered(
            Party("DESK", PartyKind.DESK, "台"), Candidacy.FALLBACK_DESK, Verdict.NOT_REACHED
        ),
    )
    assert wording.why(considered, 3, "R7", "zh") == (
        "甲不在岗；乙代为承办（副）；依据派单目录第 3 版规则 R7。"
    )
    assert wording.why(considered, 3, None, "en") == (
        "甲 is away; 乙 stands in as deputy; no rule of the dispatch catalogue matches."
    )
