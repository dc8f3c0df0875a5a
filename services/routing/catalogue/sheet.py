"""Reads and checks the catalogue's file; all faults are reported at once, with row and column."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias, TypeVar

from services.routing.catalogue import columns
from services.routing.catalogue.stored import stored_rows, stored_text
from shared.contracts.fields.folding import compact
from shared.contracts.vocabulary import Difficulty, Kind, Tier, Urgency
from shared.tables.reader import read_table
from shared.tables.table import TableData, Unusable, column_title

LARGEST_BYTES: Final = 1024 * 1024
MOST_RULES: Final = 2000
MOST_ROWS: Final = 10_000
LONGEST_CELL: Final = 2000

Label = TypeVar("Label")


@dataclass(frozen=True, slots=True)
class Remark:
    """A fault or a warning; `row` counts as in a spreadsheet (the header is 1), `code` names its message."""

    code: str
    row: int | None = None
    column: str | None = None
    found: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Empty conditions match anything; None leaves a limit to its default."""

    row: int
    rule_id: str
    categories: tuple[str, ...]
    keywords: tuple[str, ...]
    kinds: tuple[Kind, ...]
    parks: tuple[str, ...]
    tiers: tuple[Tier, ...]
    urgencies: tuple[Urgency, ...]
    lead_department: str
    co_departments: tuple[str, ...]
    difficulty: Difficulty
    raised: Urgency | None
    accept_minutes: int | None
    handle_days: int | None
    note: str

    def conditions(self) -> tuple[frozenset[str], ...]:
        """The row's conditions in comparable form."""
        return tuple(
            frozenset(map(compact, asked))
            for asked in (
                self.categories, self.keywords, self.kinds, self.parks, self.tiers, self.urgencies
            )
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """What a file may refer to: the existing departments, and the parks of enterprises."""

    departments: Collection[str]
    parks: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """A valid file with its warnings."""

    text: str
    rules: tuple[Rule, ...]
    warnings: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Faulty:
    """An invalid file with all its faults."""

    faults: tuple[Remark, ...]


Reading: TypeAlias = Sheet | Faulty


def read_sheet(raw: bytes, known: Known) -> Reading:
    """Read and check a file's bytes in this process; uploads are parsed in a separate one and use `check_table`."""
    if len(raw) > LARGEST_BYTES:
        return Faulty((Remark("too_large", found=str(LARGEST_BYTES)),))
    try:
        table = read_table(raw, MOST_ROWS)
    except Unusable as fault:
        return Faulty((Remark(fault.code, fault.row, found=fault.found),))
    return check_table(table, raw, known)


def check_table(table: TableData, raw: bytes, known: Known) -> Reading:
    """Check a table that was read from `raw`; return its faults, or its rules with the text to store."""
    names = [columns.header(cell) for cell in table.header]
    faults = list(_header_faults(names, table.header_row))
    faults += [
        Remark(
            fault.code,
            row,
            None if fault.column is None else column_title(table.header, fault.column),
            fault.found,
        )
        for row, found in table.faults.items()
        for fault in found
    ]
    if faults:
        return Faulty(tuple(faults))
    return _check(stored_text(table, raw), names, list(table.rows.items()), known)


def read_stored(text: str, known: Known) -> Reading:
    """Check a stored version's text; faults that an earlier reader allowed stay allowed."""
    records = list(stored_rows(text))
    if not records:
        return Faulty((Remark("empty"),))
    return _check(text, [columns.header(cell) for cell in records[0][1]], records[1:], known)


def _header_faults(names: Sequence[str], row: int) -> Iterator[Remark]:
    for name in columns.REQUIRED:
        if name not in names:
            yield Remark("missing_column", row, name)
    for at, name in enumerate(names):
        if name and name not in columns.COLUMNS:
            yield Remark("unknown_column", row, name)
        elif name and name in names[:at]:
            yield Remark("column_twice", row, name)


def _check(
    text: str, names: Sequence[str], records: Sequence[tuple[int, Sequence[str]]], known: Known
) -> Reading:
    faults: list[Remark] = []
    rules: list[Rule] = []
    for row, cells in records:
        if any(cell.strip() for cell in cells):
            line = _Line(row, dict(zip(names, cells, strict=False)), known)
            rules.append(line.rule())
            faults.extend(line.faults)
    if not rules:
        faults.append(Remark("empty"))
    if len(rules) > MOST_RULES:
        faults.append(Remark("too_many_rules", found=str(MOST_RULES)))
    faults.extend(_repeated(rules))
    if faults:
        return Faulty(tuple(sorted(faults, key=lambda fault: fault.row or 0)))
    return Sheet(text, tuple(rules), tuple(_warnings(rules, known)))


def _repeated(rules: Sequence[Rule]) -> Iterator[Remark]:
    first: dict[str, int] = {}
    for rule in rules:
        if rule.rule_id and rule.rule_id in first:
            yield Remark("rule_twice", rule.row, columns.RULE, rule.rule_id)
        first.setdefault(rule.rule_id, rule.row)


def _warnings(rules: Sequence[Rule], known: Known) -> Iterator[Remark]:
    seen: dict[tuple[frozenset[str], ...], str] = {}
    catch_all: str | None = None
    parks = {compact(park) for park in known.parks}
    for rule in rules:
        conditions = rule.conditions()
        if catch_all is not None:
            yield Remark("never_reached", rule.row, columns.RULE, catch_all)
        elif conditions in seen:
            yield Remark("never_reached", rule.row, columns.RULE, seen[conditions])
        seen.setdefault(conditions, rule.rule_id)
        if not any(conditions) and catch_all is None:
            catch_all = rule.rule_id
        for park in rule.parks:
            if compact(park) not in parks:
                yield Remark("unknown_park", rule.row, columns.PARK, park)
    if catch_all is None:
        yield Remark("no_catch_all")


def _fits_the_table(cell: str) -> bool:
    """Return whether the words can be texts of the decision table, whose language has two quotes and no escapes."""
    printable = all(char >= " " or char in "\n\r\t" for char in cell)
    return printable and not ('"' in cell and "'" in cell)


@dataclass(slots=True)
class _Line:
    """A row while it is read: its cells by column, and the faults found so far."""

    row: int
    cells: Mapping[str, str]
    known: Known
    faults: list[Remark] = field(default_factory=list)

    def rule(self) -> Rule:
        return Rule(
            row=self.row,
            rule_id=self._needed(columns.RULE),
            categories=self._paths(columns.CATEGORY),
            keywords=tuple(map(compact, self._words(columns.KEYWORDS))),
            kinds=self._labels(columns.KIND, columns.KINDS),
            parks=self._words(columns.PARK),
            tiers=self._labels(columns.TIER, columns.TIERS),
            urgencies=self._labels(columns.URGENCY, columns.URGENCIES),
            lead_department=self._department(columns.LEAD, self._needed(columns.LEAD)),
            co_departments=tuple(
                self._department(columns.CO, word) for word in self._words(columns.CO)
            ),
            difficulty=self._label(columns.DIFFICULTY, columns.DIFFICULTIES) or Difficulty.SIMPLE,
            raised=self._label(columns.RAISED, columns.URGENCIES),
            accept_minutes=self._number(columns.ACCEPT_HOURS, columns.minutes),
            handle_days=self._number(columns.HANDLE_DAYS, columns.days),
            note=self._cell(columns.NOTE),
        )

    def _fault(self, code: str, column: str, found: str = "") -> None:
        self.faults.append(Remark(code, self.row, column, found[:100]))

    def _cell(self, column: str) -> str:
        cell = self.cells.get(column, "").strip()
        if len(cell) > LONGEST_CELL:
            self._fault("too_long", column, str(LONGEST_CELL))
            return ""
        if "\0" in cell or (column != columns.NOTE and not _fits_the_table(cell)):
            self._fault("unusable_text", column, cell)
            return ""
        return cell

    def _needed(self, column: str) -> str:
        cell = self._cell(column)
        if not cell:
            self._fault("missing", column)
        return cell

    def _words(self, column: str) -> tuple[str, ...]:
        return columns.words(self._cell(column))

    def _paths(self, column: str) -> tuple[str, ...]:
        paths = tuple(map(columns.path, self._words(column)))
        if not all(paths):
            self._fault("unusable_text", column, self._cell(column))
        return paths

    def _labels(self, column: str, meanings: Mapping[str, Label]) -> tuple[Label, ...]:
        found: list[Label] = []
        for word in self._words(column):
            if compact(word) in meanings:
                found.append(meanings[compact(word)])
            else:
                self._fault("unknown_label", column, word)
        return tuple(found)

    def _label(self, column: str, meanings: Mapping[str, Label]) -> Label | None:
        labels = self._labels(column, meanings)
        if len(labels) > 1:
            self._fault("one_only", column, self._cell(column))
        return labels[0] if labels else None

    def _department(self, column: str, name: str) -> str:
        if not name or name in self.known.departments:
            return name
        alike = [each for each in self.known.departments if compact(each) == compact(name)]
        if len(alike) != 1:
            self._fault("unknown_department", column, name)
            return name
        return alike[0]

    def _number(self, column: str, read: Callable[[str], int | None]) -> int | None:
        cell = self._cell(column)
        found = read(cell) if cell else None
        if cell and found is None:
            self._fault("not_a_number", column, cell)
        return found
