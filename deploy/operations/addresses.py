"""Where the parts of a stack are: by the settings, else by what its launcher wrote down."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.common.folder import Folder, read_json
from deploy.local.kafka_users import own_login
from shared.delivery.kafka.address import KafkaAddress
from shared.service.settings import ServerSettings, read_settings


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the parts of a stack are; empty where that is not known."""

    web: str
    kafka: KafkaAddress
    postgres: str

    @classmethod
    def of(cls, folder: Folder) -> "Addresses":
        """The addresses of the settings, else of the folder's stack."""
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
    """The folder's own Kafka; one that an earlier version started asks for no password."""
    if "kafka_sasl" in known:
        return KafkaAddress(known["kafka_sasl"], prefix, own_login(folder))
    return KafkaAddress(known.get("kafka", ""), prefix)
