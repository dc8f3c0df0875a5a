"""Joins the services' OpenAPI documents into the one that callers see; describes nothing itself."""

from collections.abc import Iterable
from typing import Any

TITLE = "Liaison"


def join(documents: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """All paths, components and tags; the first document decides where two define the same."""
    joined: dict[str, Any] = {"openapi": "3.1.0", "info": {"title": TITLE, "version": "1"}}
    paths: dict[str, Any] = {}
    components: dict[str, dict[str, Any]] = {}
    tags: dict[str, Any] = {}
    for document in documents:
        paths = document.get("paths", {}) | paths
        for kind, named in document.get("components", {}).items():
            components[kind] = named | components.get(kind, {})
        tags = {tag["name"]: tag for tag in document.get("tags", [])} | tags
    joined["paths"] = dict(sorted(paths.items()))
    joined["components"] = components
    if tags:
        joined["tags"] = list(tags.values())
    return joined
