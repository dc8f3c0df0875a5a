"""Compiles the catalogue's rules into a decision table and evaluates it; results are cached by facts."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar

from zen import ZenEngine

from services.routing.catalogue.sheet import Rule
from services.routing.domain.dispatching import (
    Dispatched,
    DispatchOutcome,
    Facts,
    Limits,
    dispatch,
)
from shared.contracts.fields.folding import compact
from shared.contracts.vocabulary import Difficulty, Urgency

MOST_REMEMBERED: Final = 20_000

Key = TypeVar("Key")
Value = TypeVar("Value")

_INPUTS: Final = ("kind", "park", "tier", "urgency")
_OUTPUTS: Final = (
    "rule_id", "category", "lead_department", "co_departments",
    "difficulty", "urgency", "accept_minutes", "handle_days",
)  # fmt: skip


class Catalogue:
    """One compiled version of the dispatch catalogue; `version` is None while the town has none."""

    def __init__(self, version: int | None, rules: Sequence[Rule], limits: Limits) -> None:
        self.version = version
        self._limits = limits
        self._keywords = tuple(
            dict.fromkeys(keyword for rule in rules for keyword in rule.keywords)
        )
        self._parks = frozenset(compact(park) for rule in rules for park in rule.parks)
        self._rules = tuple(rules)
        self._decision = ZenEngine().create_decision(json.dumps(decision_model(rules)))
        self._remembered: dict[tuple[str | None, ...], Dispatched] = {}
        self._regarded: dict[tuple[str | None, ...], frozenset[str]] = {}

    def dispatch(self, facts: Facts) -> Dispatched:
        """Return the decision for these facts: of the first matching rule, or of none (`rule_id` None)."""
        hits = () if facts.category else self._hits(facts.words)
        park = compact(facts.park) if facts.park else None
        regarded = self._regarded_of(facts.category, hits)
        key = (
            facts.category,
            facts.urgency,
            facts.kind if "kind" in regarded else None,
            park if "park" in regarded and park in self._parks else None,
            facts.tier if "tier" in regarded else None,
            *hits,
        )
        found = self._remembered.get(key)
        if found is None:
            outcome = self._ask(facts, hits) if self._rules else None
            found = dispatch(facts, outcome, self.version, self._limits)
            _remember(self._remembered, key, found)
        return found

    def _regarded_of(self, category: str | None, hits: tuple[str, ...]) -> frozenset[str]:
        """Return which facts the possibly matching rules use; the others are dropped, so that the cache hits more."""
        key = (category, *hits)
        found = self._regarded.get(key)
        if found is None:
            fitting = [rule for rule in self._rules if _may_fit(rule, category, hits)]
            found = frozenset(
                name
                for name, asked in (("kind", "kinds"), ("park", "parks"), ("tier", "tiers"))
                if any(getattr(rule, asked) for rule in fitting)
            )
            _remember(self._regarded, key, found)
        return found

    def _hits(self, words: str) -> tuple[str, ...]:
        # Line by line, so that the end of one and the beginning of the next make no word.
        folded = "\n".join(map(compact, words.splitlines()))
        return tuple(keyword for keyword in self._keywords if keyword in folded)

    def _ask(self, facts: Facts, hits: Sequence[str]) -> DispatchOutcome | None:
        answer = self._decision.evaluate(
            {
                "category": compact(facts.category or ""),
                "words": list(hits),
                "kind": facts.kind.value,
                "park": compact(facts.park or ""),
                "tier": facts.tier.value if facts.tier else "",
                "urgency": facts.urgency.value,
            }
        )["result"]
        return _outcome(answer) if answer else None


def _remember(memory: dict[Key, Value], key: Key, value: Value) -> None:
    if len(memory) >= MOST_REMEMBERED:
        memory.clear()
    memory[key] = value


def _may_fit(rule: Rule, category: str | None, hits: Sequence[str]) -> bool:
    """Return whether the rule may match, by category and words alone."""
    if not rule.categories and not rule.keywords:
        return True
    path = f"{compact(category or '')}/"
    return any(path.startswith(f"{compact(each)}/") for each in rule.categories) or any(
        keyword in hits for keyword in rule.keywords
    )


def _outcome(answer: dict[str, Any]) -> DispatchOutcome:
    urgency = answer.get("urgency")
    accept_minutes, handle_days = answer.get("accept_minutes"), answer.get("handle_days")
    return DispatchOutcome(
        rule_id=answer["rule_id"],
        category=answer.get("category"),
        lead_department=answer["lead_department"],
        co_departments=tuple(answer.get("co_departments", ())),
        difficulty=Difficulty(answer["difficulty"]),
        urgency=Urgency(urgency) if urgency else None,
        accept_minutes=int(accept_minutes) if accept_minutes else None,
        handle_days=int(handle_days) if handle_days else None,
    )


def decision_model(rules: Iterable[Rule]) -> dict[str, Any]:
    """Return the rules as a JSON decision model (JDM): one table, in which the first matching row decides."""
    table = {
        "hitPolicy": "first",
        "inputs": [
            {"id": "subject", "name": "category and keywords"},
            *({"id": f"if_{name}", "name": name, "field": name} for name in _INPUTS),
        ],
        "outputs": [{"id": f"then_{name}", "name": name, "field": name} for name in _OUTPUTS],
        "rules": [_row(rule) for rule in rules],
    }
    nodes = (
        ("request", "inputNode", None),
        ("catalogue", "decisionTableNode", table),
        ("dispatch", "outputNode", None),
    )
    return {
        "nodes": [
            {"id": name, "name": name, "type": kind, "position": {"x": at * 300, "y": 0}}
            | ({"content": content} if content else {})
            for at, (name, kind, content) in enumerate(nodes)
        ],
        "edges": [
            {"id": f"{source}-{target}", "type": "edge", "sourceId": source, "targetId": target}
            for source, target in (("request", "catalogue"), ("catalogue", "dispatch"))
        ],
    }


def _row(rule: Rule) -> dict[str, str]:
    return {
        "_id": str(rule.row),
        "subject": _subject(rule),
        "if_kind": _any_of(rule.kinds),
        "if_park": _any_of(map(compact, rule.parks)),
        "if_tier": _any_of(rule.tiers),
        "if_urgency": _any_of(rule.urgencies),
        "then_rule_id": _text(rule.rule_id),
        "then_category": _any_of(rule.categories[:1]),
        "then_lead_department": _text(rule.lead_department),
        "then_co_departments": f"[{_any_of(rule.co_departments)}]",
        "then_difficulty": _text(rule.difficulty),
        "then_urgency": _any_of((rule.raised,) if rule.raised else ()),
        "then_accept_minutes": str(rule.accept_minutes or ""),
        "then_handle_days": str(rule.handle_days or ""),
    }


def _subject(rule: Rule) -> str:
    """Return the condition on the category, or, for a request without one, on the keywords."""
    fits = [
        f"category == {_text(path)} or startsWith(category, {_text(path + '/')})"
        for path in map(compact, rule.categories)
    ]
    if rule.keywords:
        fits.append(f"some(words, # in [{_any_of(rule.keywords)}])")
    return " or ".join(fits)


def _any_of(words: Iterable[str]) -> str:
    return ", ".join(map(_text, words))


def _text(word: str) -> str:
    """Return a text literal of the table's language, which has two kinds of quotes and no escapes."""
    return f"'{word}'" if '"' in word else f'"{word}"'
