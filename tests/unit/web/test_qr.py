"""QR codes as SVG paths: the same modules as segno's."""

import re

import segno

from shared.web.qr import QUIET_ZONE, qr_code


def test_the_path_covers_the_dark_modules_and_no_others():
    text = "otpauth://totp/Liaison:%E7%8E%8B%E4%BA%94?secret=GEZDGNBVGY3TQOJQ&issuer=Liaison"
    code = qr_code(text)
    dark = set()
    drawn = re.findall(r"M(\d+) (\d+)h(\d+)v1h-(\d+)z", code.path)
    for x, y, width, back in drawn:
        assert width == back
        dark |= {(int(x) + step, int(y)) for step in range(int(width))}
    matrix = segno.make_qr(text, error="m").matrix
    assert code.size == len(matrix) + 2 * QUIET_ZONE
    assert dark == {
        (x + QUIET_ZONE, y + QUIET_ZONE)
        for y, row in enumerate(matrix)
        for x, module in enumerate(row)
        if module
    }
    assert "".join(f"M{x} {y}h{w}v1h-{w}z" for x, y, w, _ in drawn) == code.path
