"""Kafka's jars: downloaded once through jgo, verified against the lock file at each start.

`python -m deploy.local.embedded.jars` resolves the pinned version afresh and rewrites the lock file.
"""

import fcntl
import hashlib
import json
import os
import shutil
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import requests
from jgo.maven import MavenContext, PythonResolver

from deploy.common.trouble import Trouble

LOCK = Path(__file__).with_name("kafka.lock.json")
CENTRAL = "https://repo.maven.apache.org/maven2"
KAFKA = "4.1.2"
ROOTS = (
    f"org.apache.kafka:kafka_2.13:{KAFKA}",
    # What ties slf4j, which Kafka writes its log to, to log4j, which it brings along. The mark at
    # the end keeps its own table of versions from ruling over Kafka's.
    "org.apache.logging.log4j:log4j-slf4j-impl:2.25.3!",
)
ATTEMPTS = 3
AT_ONCE = 4
TIMEOUT_SECONDS = 30

Progress = Callable[[int, int], None]
"""Told how many bytes have come, of how many."""


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar of the lock file."""

    coordinate: str
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        _, artifact, version = self.coordinate.split(":")
        return f"{artifact}-{version}.jar"


def cache_folder() -> Path:
    """Return the folder of downloads: `LIAISON_CACHE`, else below the user's cache folder."""
    if own := os.environ.get("LIAISON_CACHE"):
        return Path(own).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "liaison"


def locked(lock: Path = LOCK) -> list[Jar]:
    return [Jar(**entry) for entry in json.loads(lock.read_text())["jars"]]


def classpath(progress: Progress, lock: Path = LOCK) -> list[Path]:
    """Return the paths of all jars of the lock file, verified; download missing ones.

    Raises Trouble when a jar cannot be fetched, or is not the one that the lock names.
    """
    kept = folder(lock)
    if os.pathsep in str(kept):
        raise Trouble("cache.colon", folder=kept)
    try:
        # A cache that somebody else has filled may be one that only they can write.
        if missing_from(kept, lock):
            kept.mkdir(parents=True, exist_ok=True)
            with held(kept / ".lock"):
                fetch(missing_from(kept, lock), kept, progress)
    except (PermissionError, NotADirectoryError, FileExistsError) as fault:
        raise Trouble("cache.unwritable", folder=kept) from fault
    return [kept / jar.filename for jar in locked(lock)]


def folder(lock: Path = LOCK) -> Path:
    """Return the folder of this lock file's jars."""
    return cache_folder() / "kafka" / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]


def missing_from(kept: Path, lock: Path) -> list[Jar]:
    return [jar for jar in locked(lock) if not is_intact(kept / jar.filename, jar)]


def is_intact(path: Path, jar: Jar) -> bool:
    return path.is_file() and path.stat().st_size == jar.size and digest(path) == jar.sha256


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the download lock: two stacks may start for the first time together."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def fetch(jars: list[Jar], into: Path, progress: Progress) -> None:
    """Download `jars` to `into`; each appears there complete and verified, or not at all."""
    trust_the_system()
    expected = sum(jar.size for jar in jars)
    come = 0

    @contextmanager
    def counting(_name: str, _size: int) -> Iterator[Callable[[int], None]]:
        def more(count: int) -> None:
            nonlocal come
            come += count
            progress(min(come, expected), expected)

        yield more

    progress(0, expected)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        waiting = [pool.submit(fetch_one, jar, into, counting) for jar in jars]
        try:
            for each in waiting:
                each.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    progress(expected, expected)


Counting = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]


def fetch_one(jar: Jar, into: Path, counting: Counting) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=into) as staging:
            try:
                path = through_jgo(jar, Path(staging), counting)
            except (requests.RequestException, RuntimeError) as fault:
                if attempt == ATTEMPTS:
                    raise Trouble(
                        "jars.unreachable", jar=jar.coordinate, source=source(), reason=fault
                    ) from fault
                continue
            if is_intact(path, jar):
                path.replace(into / jar.filename)
                return
    raise Trouble("jars.differ", jar=jar.coordinate, source=source())


def through_jgo(jar: Jar, staging: Path, counting: Counting) -> Path:
    context = MavenContext(
        repo_cache=staging,
        remote_repos={"central": source()},
        resolver=PythonResolver(progress_callback=counting),
        timeout=TIMEOUT_SECONDS,
    )
    return Path(context.create_dependency(jar.coordinate).artifact.resolve())


def source() -> str:
    """Return the URL of the Maven repository; a mirror is safe, since the lock file has every checksum."""
    return os.environ.get("LIAISON_MAVEN_URL", CENTRAL).rstrip("/")


def trust_the_system() -> None:
    """Use the machine's certificate store for downloads: offices often have a certificate authority of their own."""
    if not {"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} & os.environ.keys():
        bundles = (ssl.get_default_verify_paths().cafile, "/etc/ssl/certs/ca-certificates.crt")
        found = next((b for b in bundles if b and Path(b).is_file()), None)
        if found:
            os.environ["REQUESTS_CA_BUNDLE"] = found


def relock(lock: Path = LOCK, wanted_roots: Sequence[str] = ROOTS) -> int:
    """Resolve the root artifacts with their dependencies and write the lock file; return the number of jars."""
    trust_the_system()
    with tempfile.TemporaryDirectory() as staging:
        context = MavenContext(repo_cache=Path(staging), remote_repos={"central": source()})
        roots = [context.create_dependency(root) for root in wanted_roots]
        for root in roots:
            root.scope = "compile"
        inputs, others = context.resolver.resolve(roots)
        wanted = [d for d in (*inputs, *others) if d.scope in ("compile", "runtime")]
        jars = {}
        for dependency in wanted:
            name = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
            path = Path(dependency.artifact.resolve())
            jars[name] = Jar(name, digest(path), path.stat().st_size)
    content = {"roots": list(wanted_roots), "jars": [asdict(jars[name]) for name in sorted(jars)]}
    fresh = lock.with_suffix(".new")
    fresh.write_text(json.dumps(content, indent=1) + "\n")
    shutil.move(fresh, lock)
    return len(jars)


if __name__ == "__main__":
    relock()
