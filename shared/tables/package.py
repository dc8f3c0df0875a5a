"""The parts of an Office Open XML file: unpacked within a limit, parsed without entities, found by relationships."""

import io
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol
from xml.parsers import expat

from shared.tables.table import UnsupportedFormat, Unusable

MAX_UNPACKED_BYTES: Final = 64 * 1024 * 1024
MAX_PARTS: Final = 10_000
_CHUNK: Final = 64 * 1024
_MAIN: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
    "http://schemas.openxmlformats.org/package/2006/relationships",
)
_RELATIONS: Final = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
_DAMAGED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    expat.ExpatError,
    NotImplementedError,
    EOFError,
    UnicodeError,
    LookupError,
    struct.error,
    OSError,
)


class PartHandler(Protocol):
    """Receives the elements of one part by their local names; elements of other namespaces are left out."""

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, text: str) -> None:
        """Character data, whole between two tags."""


class OfficePackage:
    """An open XLSX file. All that it reads counts against one limit; every fault in it raises Unusable."""

    def __init__(self, raw: bytes) -> None:
        self._left = MAX_UNPACKED_BYTES
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(raw))
        except _DAMAGED as fault:
            raise Unusable("workbook") from fault
        self._parts: dict[str, zipfile.ZipInfo] = {}
        for entry in self._archive.infolist():
            name = entry.filename.replace("\\", "/").lstrip("/").lower()
            if name in self._parts or len(self._parts) >= MAX_PARTS:
                raise Unusable("workbook")
            self._parts[name] = entry

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._parts

    def head(self, name: str, size: int) -> bytes:
        """The first bytes of a part."""
        return self._unpack(name, lambda chunk: chunk, size) or b""

    def parse(self, name: str, handler: PartHandler) -> None:
        """Parse a part. Raises Unusable, and whatever `handler` raises to end it."""
        parser = _parser(handler)
        self._unpack(name, lambda chunk: parser.Parse(chunk, False))
        try:
            parser.Parse(b"", True)
        except expat.ExpatError as fault:
            raise Unusable("workbook") from fault

    def _unpack(
        self, name: str, use: Callable[[bytes], object], size: int = _CHUNK
    ) -> bytes | None:
        entry = self._parts.get(name.lower())
        if entry is None:
            raise Unusable("workbook")
        if entry.flag_bits & 1:
            raise Unusable("encrypted")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unusable("workbook")
        try:
            with self._archive.open(entry) as part:
                while chunk := part.read(size):
                    self._left -= len(chunk)
                    if self._left < 0:
                        raise Unusable("limit_unpacked", found=str(MAX_UNPACKED_BYTES // 1024**2))
                    use(chunk)
                    if size != _CHUNK:
                        return chunk
        except _DAMAGED as fault:
            raise Unusable("workbook") from fault
        return None

    def relations(self, name: str) -> dict[str, tuple[str, str]]:
        """The parts that a part (the package, for "") refers to: the last word of the type and the name, by id."""
        folder, file = posixpath.split(name)
        found = _Relations(folder)
        relations = posixpath.join(folder, "_rels", f"{file}.rels")
        if relations in self:
            self.parse(relations, found)
        return found.targets


class _Relations:
    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.targets: dict[str, tuple[str, str]] = {}

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name != "Relationship" or attributes.get("TargetMode") == "External":
            return
        target = attributes.get("Target", "").replace("\\", "/")
        path = posixpath.normpath(posixpath.join("/", self._folder, target)).lstrip("/")
        kind = attributes.get("Type", "").rpartition("/")[2]
        if len(self.targets) >= MAX_PARTS:
            raise Unusable("workbook")
        self.targets[attributes.get("Id", "")] = (kind, path)

    def end(self, name: str) -> None:
        pass

    def text(self, text: str) -> None:
        pass


def _parser(handler: PartHandler) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    local: dict[str, str] = {}

    def start(name: str, attributes: Mapping[str, str]) -> None:
        known = local.get(name)
        if known is None:
            space, _, tag = name.rpartition(" ")
            known = local[name] = tag if not space or space in _MAIN else ""
        if known:
            handler.start(known, attributes)

    def end(name: str) -> None:
        known = local[name]
        if known:
            handler.end(known)

    def refuse(*_: object) -> None:
        # Entities are declared there; no spreadsheet program writes one.
        raise Unusable("workbook")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = refuse
    return parser


def relation_id(attributes: Mapping[str, str]) -> str:
    """The `r:id` of an element, "" without one."""
    found = (attributes.get(f"{space} id") for space in _RELATIONS)
    return next((each for each in found if each), "")


def refuse_other_packages(package: OfficePackage) -> None:
    """Raise UnsupportedFormat for an archive of another program: OpenDocument, binary workbooks."""
    if "mimetype" in package and b"opendocument.spreadsheet" in package.head("mimetype", 128):
        raise UnsupportedFormat("format_ods")
    if "xl/workbook.bin" in package:
        raise UnsupportedFormat("format_xlsb")
