"""Why a matter waits for an owner, in words."""

import pytest

from services.desk.pages.staff.coordinate import waiting_in_words
from services.desk.pages.wording import words_in
from shared.contracts.vocabulary import PendingReason
from shared.messages.catalogue import LANGUAGES


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("reason", [*PendingReason, None])
def test_every_reason_and_none_has_words(reason: PendingReason | None, lang: str):
    item = {"pending_reason": reason and reason.value, "state": "awaiting_dispatch"}
    assert waiting_in_words(item, words_in(lang))


def test_a_matter_that_routing_has_yet_to_look_at_shows_its_state():
    item = {"pending_reason": None, "state": "awaiting_dispatch"}
    assert waiting_in_words(item, words_in("zh")) == "待派单"
