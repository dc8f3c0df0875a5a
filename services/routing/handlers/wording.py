"""Explains in words why a party was chosen, with texts of the message catalogue."""

from collections.abc import Sequence

from services.routing.domain.choice import Considered, Verdict
from shared.messages.catalogue import text

_SILENT = (Verdict.TAKEN, Verdict.NOT_REACHED)


def verdict(one: Considered, lang: str) -> str:
    """Return why a candidate was or was not chosen."""
    key = f"routing.candidacy.{one.candidacy}" if one.verdict is Verdict.TAKEN else None
    return text(key or f"routing.verdict.{one.verdict}", lang, name=one.party.name)


def why(
    considered: Sequence[Considered], version: int | None, rule_id: str | None, lang: str
) -> str:
    """Return one sentence: the unavailable candidates, the chosen party, and the rule."""
    parts = [verdict(one, lang) for one in considered if one.verdict not in _SILENT]
    parts += [verdict(one, lang) for one in considered if one.verdict is Verdict.TAKEN]
    parts.append(rule(version, rule_id, lang))
    return text("routing.comma", lang).join(parts) + text("routing.stop", lang)


def rule(version: int | None, rule_id: str | None, lang: str) -> str:
    """Return which rule of which version decided, or that none matched."""
    if rule_id is None:
        return text("routing.no_rule", lang)
    return text("routing.rule", lang, version=version, rule=rule_id)
