"""Says in words why a party was chosen; every word comes from the message catalogue."""

from collections.abc import Sequence

from services.routing.domain.choice import Considered, Verdict
from shared.messages.catalogue import text

_SILENT = (Verdict.TAKEN, Verdict.NOT_REACHED)


def verdict(one: Considered, lang: str) -> str:
    """Why a candidate was taken or was not."""
    key = f"routing.candidacy.{one.candidacy}" if one.verdict is Verdict.TAKEN else None
    return text(key or f"routing.verdict.{one.verdict}", lang, name=one.party.name)


def why(
    considered: Sequence[Considered], version: int | None, rule_id: str | None, lang: str
) -> str:
    """One sentence: who could not, who takes it for that, and by which rule."""
    parts = [verdict(one, lang) for one in considered if one.verdict not in _SILENT]
    parts += [verdict(one, lang) for one in considered if one.verdict is Verdict.TAKEN]
    parts.append(rule(version, rule_id, lang))
    return text("routing.comma", lang).join(parts) + text("routing.stop", lang)


def rule(version: int | None, rule_id: str | None, lang: str) -> str:
    """Which rule of which version decided, or that none did."""
    if rule_id is None:
        return text("routing.no_rule", lang)
    return text("routing.rule", lang, version=version, rule=rule_id)
