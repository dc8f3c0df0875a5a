"""QR codes as SVG paths, drawn without a style and without a script."""

from dataclasses import dataclass

import segno

QUIET_ZONE = 4
"""Modules of empty margin that readers need (ISO/IEC 18004)."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """`path` is the `d` of an SVG path in a square of `size` units, one for each module."""

    size: int
    path: str


def qr_code(text: str) -> QrCode:
    """Return the QR code of a text of up to about 2,000 characters, with error correction M or better."""
    code = segno.make_qr(text, error="m")
    commands = []
    for y, row in enumerate(code.matrix, QUIET_ZONE):
        x = 0
        while x < len(row):
            begin = x
            while x < len(row) and row[x]:
                x += 1
            if x > begin:
                commands.append(f"M{begin + QUIET_ZONE} {y}h{x - begin}v1h-{x - begin}z")
            x += 1
    return QrCode(len(code.matrix) + 2 * QUIET_ZONE, "".join(commands))
