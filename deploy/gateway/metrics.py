"""Merges several Prometheus expositions into one valid exposition."""

from collections.abc import Iterable, Mapping

from prometheus_client import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector, CollectorRegistry
from prometheus_client.samples import Sample


class Merged(Collector):
    """Metric families of several services, each once; every sample has a label for its service."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._families: dict[str, Metric] = {}
        self._seen: set[tuple[str, tuple[tuple[str, str], ...]]] = set()
        for service, text in texts.items():
            for family in text_string_to_metric_families(text):
                self._merge(service, family)

    def collect(self) -> Iterable[Metric]:
        return self._families.values()

    def _merge(self, service: str, family: Metric) -> None:
        kept = self._families.setdefault(
            family.name, Metric(family.name, family.documentation, family.type)
        )
        for sample in family.samples:
            labels = {"service": service} | sample.labels if service else sample.labels
            key = (sample.name, tuple(sorted(labels.items())))
            if key not in self._seen:
                self._seen.add(key)
                kept.samples.append(Sample(sample.name, labels, sample.value))


def merge(texts: Mapping[str, str]) -> bytes:
    """Return one exposition of all `texts` by service; the key is empty where samples have the label already."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Merged(texts))
    return generate_latest(registry)
