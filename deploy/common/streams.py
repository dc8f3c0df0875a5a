"""Standard output and error whose writes never raise, whatever is at their other end."""

import io
import os
import sys
from typing import TextIO

STANDARD = (0, 1, 2)


class LastingStream(io.TextIOWrapper):
    """A text stream that replaces unencodable characters by `?` and drops all output after a failed write.

    A reader that left (`| head`), a full disk and a terminal that was closed all end here.
    """

    def write(self, text: str) -> int:
        """Write or drop the text; return its length in either case."""
        try:
            return super().write(text)
        except (OSError, ValueError):
            self._drop_all()
            return len(text)

    def flush(self) -> None:
        """Flush, ignoring failures."""
        try:
            super().flush()
        except (OSError, ValueError):
            self._drop_all()

    def _drop_all(self) -> None:
        # What is buffered goes there too: the interpreter flushes once more when it ends.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, self.fileno())
        except (OSError, ValueError):
            return
        finally:
            os.close(nowhere)


def keep_streams() -> None:
    """Make sys.stdout and sys.stderr lasting, and fill descriptors that were closed; safe to call again.

    A closed descriptor would be given to the next file that is opened, and what is printed would be written there.
    """
    for descriptor in STANDARD:
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        found = getattr(sys, name)
        is_own = found is getattr(sys, f"__{name}__")  # Not one that somebody has put in its place.
        if is_own and isinstance(found, io.TextIOWrapper):
            setattr(sys, name, lasting(found))


def lasting(stream: io.TextIOWrapper) -> TextIO:
    """Return a lasting stream on the same descriptor, with the same encoding."""
    encoding, buffered = stream.encoding, stream.line_buffering
    return LastingStream(
        stream.detach(), encoding=encoding, errors="replace", line_buffering=buffered
    )
