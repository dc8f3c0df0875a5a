"""Columns and labels of the catalogue's file, as an office worker writes them."""

import re
from decimal import Decimal, InvalidOperation
from typing import Final

from shared.contracts.fields.folding import compact, fold
from shared.contracts.vocabulary import Difficulty, Kind, Tier, Urgency

RULE: Final = "规则编号"
CATEGORY: Final = "类别"
KEYWORDS: Final = "关键词"
KIND: Final = "诉求类型"
PARK: Final = "园区"
TIER: Final = "企业层级"
URGENCY: Final = "紧急程度"
LEAD: Final = "主办部门"
CO: Final = "协办部门"
DIFFICULTY: Final = "难易"
RAISED: Final = "定级"
ACCEPT_HOURS: Final = "签收时限(工作小时)"
HANDLE_DAYS: Final = "办结时限(工作日)"
NOTE: Final = "说明"

COLUMNS: Final = (
    RULE, CATEGORY, KEYWORDS, KIND, PARK, TIER, URGENCY,
    LEAD, CO, DIFFICULTY, RAISED, ACCEPT_HOURS, HANDLE_DAYS, NOTE,
)  # fmt: skip
REQUIRED: Final = (RULE, LEAD)

KINDS: Final = {
    "咨询": Kind.ASK,
    "求助": Kind.HELP,
    "投诉": Kind.COMPLAINT,
    "建议": Kind.SUGGESTION,
    "隐患": Kind.HAZARD,
    "微心愿": Kind.WISH,
}
TIERS: Final = {"重点": Tier.KEY, "规上": Tier.LARGE, "一般": Tier.GENERAL}
URGENCIES: Final = {"一般": Urgency.NORMAL, "紧急": Urgency.URGENT, "特急": Urgency.EMERGENCY}
DIFFICULTIES: Final = {"简单": Difficulty.SIMPLE, "复杂": Difficulty.COMPLEX}

LONGEST_ACCEPT_MINUTES: Final = 100 * 60
LONGEST_HANDLE_DAYS: Final = 365

_HOURS: Final = re.compile(r"\s*(?:个?(?:工作)?小时|h|hours?)$")
_DAYS: Final = re.compile(r"\s*(?:个?(?:工作)?(?:日|天)|d|days?)$")
_JOINTS = re.compile(r"[、，,；;\n]")


def header(text: str) -> str:
    """Return a column's name in comparable form: folded, without spaces."""
    return compact(text)


def words(cell: str) -> tuple[str, ...]:
    """Return the words of a cell, separated by 、, comma or semicolon, each once in its first spelling."""
    found: dict[str, str] = {}
    for part in _JOINTS.split(cell):
        if compact(part):
            found.setdefault(compact(part), part.strip())
    return tuple(found.values())


def path(text: str) -> str:
    """Return a category path in canonical form: 基础设施/道路交通, without spaces around names."""
    names = text.replace("／", "/").split("/")
    return "/".join(name.strip() for name in names if name.strip())


def minutes(cell: str) -> int | None:
    """Return whole minutes from hours such as `2`, `0.5` or `2小时`, up to 100 hours; None for anything else."""
    found = _number(cell, _HOURS)
    if found is None or found * 60 != (whole := int(found * 60)):
        return None
    return whole if 1 <= whole <= LONGEST_ACCEPT_MINUTES else None


def days(cell: str) -> int | None:
    """Return whole days from `15` or `15个工作日`, 1 to 365; None for anything else."""
    found = _number(cell, _DAYS)
    if found is None or found != (whole := int(found)):
        return None
    return whole if 1 <= whole <= LONGEST_HANDLE_DAYS else None


def _number(cell: str, unit: re.Pattern[str]) -> Decimal | None:
    try:
        # Full-width digits are what a Chinese keyboard types.
        found = Decimal(unit.sub("", fold(cell)))
    except InvalidOperation:
        return None
    return found if found.is_finite() and abs(found) < 1_000_000 else None
