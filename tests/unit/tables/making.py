"""Workbooks written by hand, also such as no program would write."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def text_cell(place: str, text: str) -> str:
    return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(text)}</t></is></c>'


def row(number: int | str, *cells: str) -> str:
    return f'<row r="{number}">{"".join(cells)}</row>'


def sheet_of(*rows: str, before: str = "", after: str = "", main: str = MAIN) -> str:
    return f'<worksheet xmlns="{main}">{before}<sheetData>{"".join(rows)}</sheetData>{after}</worksheet>'


def workbook(
    *sheets: str,
    strings: str | None = None,
    styles: str | None = None,
    states: Sequence[str] = (),
    properties: str = "",
    main: str = MAIN,
    relations: str = RELATIONS,
    more: Mapping[str, str | bytes] | None = None,
) -> bytes:
    """An XLSX file of these sheets' XML; `states` are those of the sheets in order, the others are visible."""
    entries, targets = [], []
    for number, _ in enumerate(sheets, start=1):
        state = states[number - 1] if number <= len(states) else "visible"
        entries.append(
            f'<sheet name="表{number}" sheetId="{number}" state={quoteattr(state)} r:id="rId{number}"/>'
        )
        targets.append(("worksheet", f"worksheets/sheet{number}.xml", f"rId{number}"))
    if strings is not None:
        targets.append(("sharedStrings", "sharedStrings.xml", "rIdS"))
    if styles is not None:
        targets.append(("styles", "styles.xml", "rIdF"))
    parts: dict[str, str | bytes] = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": _relationships(relations, [("officeDocument", "xl/workbook.xml", "rId1")]),
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{relations}">{properties}'
        f"<sheets>{''.join(entries)}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": _relationships(relations, targets),
    }
    parts |= {f"xl/worksheets/sheet{at}.xml": sheet for at, sheet in enumerate(sheets, start=1)}
    if strings is not None:
        parts["xl/sharedStrings.xml"] = f'<sst xmlns="{main}">{strings}</sst>'
    if styles is not None:
        parts["xl/styles.xml"] = f'<styleSheet xmlns="{main}">{styles}</styleSheet>'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in (parts | dict(more or {})).items():
            archive.writestr(name, part if isinstance(part, bytes) else _HEAD + part)
    return file.getvalue()


def _relationships(kind: str, targets: Sequence[tuple[str, str, str]]) -> str:
    inner = "".join(
        f'<Relationship Id="{key}" Type="{kind}/{word}" Target="{target}"/>'
        for word, target, key in targets
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{inner}</Relationships>'
