"""Addresses of a stack's parts: from the settings, else from what its launcher recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.common.folder import Folder, read_json
from deploy.local.kafka_users import own_login
from shared.delivery.kafka.address import KafkaAddress
from shared.service.settings import ServerSettings, read_settings


@dataclass(frozen=True, slots=True)
class Addresses:
    """Addresses of a stack's parts; empty where unknown."""

    web: str
    kafka: KafkaAddress
    postgres: str

    @classmethod
    def of(cls, folder: Folder) -> "Addresses":
        """Return the addresses of the settings, else of the stack of the folder."""
        known: Mapping[str, str] = read_json(folder.endpoints) or {}
        settings = read_settings(ServerSettings)
        kafka = settings.kafka_address
        if not kafka.bootstrap:
            kafka = own_kafka(folder, known, kafka.prefix)
        return cls(
            web=known.get("web", ""),
            kafka=kafka,
            postgres=settings.database or known.get("postgres", ""),
        )


def own_kafka(folder: Folder, known: Mapping[str, str], prefix: str) -> KafkaAddress:
    """Return the address of the folder's embedded Kafka; one started by an earlier version has no password."""
    if "kafka_sasl" in known:
        return KafkaAddress(known["kafka_sasl"], prefix, own_login(folder))
    return KafkaAddress(known.get("kafka", ""), prefix)
