"""Changes single settings of topics (KIP-339, incremental alter configs)."""

from collections.abc import Mapping
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int8, Int16, Int32, Schema, String

TOPIC: Final = int(ConfigResourceType.TOPIC)
SET: Final = 0

Settings = Mapping[str, Mapping[str, str]]
"""Settings by topic: Kafka's name of each, and its value."""


class IncrementalAlterConfigsResponse(Response):  # type: ignore[misc]
    """An error code for each resource, 0 where it was changed."""

    API_KEY = 44
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "responses",
            Array(
                ("error_code", Int16),
                ("error_message", String("utf-8")),
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
            ),
        ),
    )


class IncrementalAlterConfigsStruct(RequestStruct):  # type: ignore[misc]
    """The first version of the call, as it goes over the wire."""

    API_KEY = 44
    API_VERSION = 0
    RESPONSE_TYPE = IncrementalAlterConfigsResponse
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
                (
                    "configs",
                    Array(
                        ("name", String("utf-8")),
                        ("config_operation", Int8),
                        ("value", String("utf-8")),
                    ),
                ),
            ),
        ),
        ("validate_only", Boolean),
    )


class IncrementalAlterConfigs(Request[IncrementalAlterConfigsStruct]):  # type: ignore[misc]
    """Sets what is named."""

    API_KEY = 44

    def __init__(self, settings: Settings) -> None:
        self._resources = [
            (TOPIC, topic, [(name, SET, value) for name, value in wanted.items()])
            for topic, wanted in settings.items()
        ]

    def build(
        self, request_struct_class: type[IncrementalAlterConfigsStruct]
    ) -> IncrementalAlterConfigsStruct:
        """The call on the wire."""
        return request_struct_class(self._resources, False)


async def topic_settings(admin: AIOKafkaAdminClient, settings: Settings) -> Settings:
    """Return these topics' values of the names in `settings`. Raises the KafkaError of the first one refused."""
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, topic, dict.fromkeys(wanted))
        for topic, wanted in settings.items()
    ]
    found: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(resources):
        for code, reason, _, topic, entries in answer.resources:
            _raise_for(code, topic, reason)
            found[topic] = {entry[0]: entry[1] for entry in entries}
    return found


async def change_topic_settings(admin: AIOKafkaAdminClient, settings: Settings) -> list[str]:
    """Set exactly these settings where they differ; return the changed topics.

    Raises the KafkaError of the first one refused.
    """
    if not settings:
        return []
    there = await topic_settings(admin, settings)
    differing = {
        topic: {name: value for name, value in wanted.items() if there[topic].get(name) != value}
        for topic, wanted in settings.items()
    }
    differing = {topic: wanted for topic, wanted in differing.items() if wanted}
    if not differing:
        return []
    answer = await admin._send_to_controller(IncrementalAlterConfigs(differing))
    for code, reason, _, topic in answer.responses:
        _raise_for(code, topic, reason)
    return sorted(differing)


def _raise_for(code: int, topic: str, reason: str | None) -> None:
    if code:
        error: KafkaError = for_code(code)(f"{topic}: {reason}")
        raise error
