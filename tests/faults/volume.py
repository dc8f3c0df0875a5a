"""A small disk of PostgreSQL's own that can be filled, where this machine allows one to be mounted."""

import contextlib
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

MEGABYTES = 12_000
LEFT_BYTES = 256 * 1024
SECONDS = 60


@dataclass(slots=True)
class Volume:
    """An ext4 file system in a file, mounted at `folder`. `mounted` is False where that is not allowed."""

    folder: Path
    mounted: bool = False

    def mount(self) -> None:
        """Make the file, sparse, and mount it; leaves a plain folder behind when it cannot be done."""
        self.folder.mkdir(parents=True)
        if os.geteuid() != 0:
            return
        image = self.folder.with_suffix(".img")
        with image.open("wb") as file:
            file.truncate(MEGABYTES * 1024 * 1024)
        commands = (
            ["mkfs.ext4", "-q", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1", image],
            ["mount", "-o", "loop", image, self.folder],
        )
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            for command in commands:
                subprocess.run(command, check=True, capture_output=True, timeout=SECONDS)
            self.mounted = True

    def fill(self) -> None:
        """Take all space but a little."""
        free = os.statvfs(self.folder)
        with self._ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - LEFT_BYTES)

    def free(self) -> None:
        """Give the space back."""
        self._ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        """Take it away again; what cannot be unmounted now goes when nobody uses it any more."""
        if self.mounted:
            subprocess.run(["umount", "-l", self.folder], check=False, timeout=SECONDS)
            self.mounted = False

    @property
    def _ballast(self) -> Path:
        return self.folder / "ballast"
