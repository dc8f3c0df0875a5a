"""Every field, parameter and column that is read from outside, found in the models and routes themselves."""

from collections.abc import Iterator
from datetime import date
from importlib import import_module
from typing import Any, NamedTuple, get_args

from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from pydantic import AwareDatetime, BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from deploy.jobs.migrations import FIRST_SERVICES
from services.routing.api.directory.imports import ROWS
from shared.calendar.local_file import LocalCalendar
from shared.contracts.events import published
from shared.contracts.events.event import REGISTRY
from shared.contracts.submission import Submission

__all__ = ["Field", "fields_of_events", "fields_of_files", "fields_sent"]

assert published, "which fills the registry"


class Field(NamedTuple):
    """A field by the name of its model or route, and what reads it."""

    name: str
    annotation: Any
    reader: TypeAdapter[Any]
    in_address: bool

    @property
    def is_date(self) -> bool:
        return any(
            isinstance(each, type) and issubclass(each, date | AwareDatetime)
            for each in _leaves(self.annotation)
        )

    @property
    def is_text(self) -> bool:
        return any(each is str for each in _leaves(self.annotation))


def fields_sent() -> list[Field]:
    """What routes take in bodies and queries."""
    return list(_once(field for service in FIRST_SERVICES for field in _of_service(service)))


def fields_of_files() -> list[Field]:
    """What is read of rows and of the calendar file."""
    models = [Submission, *ROWS.values(), LocalCalendar]
    return list(_once(field for model in models for field in _of_model(model)))


def fields_of_events() -> list[Field]:
    """What is read of events, of any age."""
    return list(_once(field for event in REGISTRY.values() for field in _of_model(event)))


def _of_service(service: str) -> Iterator[Field]:
    settings = import_module(f"services.{service}.settings").Settings(
        database_url="postgresql://nowhere/liaison", kafka="nowhere:9092"
    )
    app = import_module(f"services.{service}.app").build(settings)
    for route in iter_route_contexts(app.routes):
        if getattr(route, "dependant", None) is not None:
            yield from _of_dependant(
                f"{sorted(route.methods or ())} {route.path_format}", route.dependant
            )


def _of_dependant(route: str, dependant: Dependant) -> Iterator[Field]:
    for param in dependant.body_params:
        yield from _of_field(f"{route} {param.name}", param.field_info)
    for param in (*dependant.query_params, *dependant.path_params):
        yield from _of_field(f"{route} {param.name}", param.field_info, in_address=True)
    for inner in dependant.dependencies:
        yield from _of_dependant(route, inner)


def _of_model(model: type[BaseModel], *, in_address: bool = False) -> Iterator[Field]:
    for name, info in model.model_fields.items():
        yield from _of_field(f"{model.__name__}.{name}", info, in_address=in_address)


def _of_field(name: str, info: FieldInfo, *, in_address: bool = False) -> Iterator[Field]:
    annotation = info.rebuild_annotation()
    models = [
        each
        for each in _leaves(annotation)
        if isinstance(each, type) and issubclass(each, BaseModel)
    ]
    for model in models:
        yield from _of_model(model, in_address=in_address)
    if not models:
        yield Field(name, annotation, TypeAdapter(annotation), in_address)


def _leaves(annotation: Any) -> Iterator[Any]:
    inner = get_args(annotation)
    if not inner:
        yield annotation
    for each in inner:
        yield from _leaves(each)


def _once(fields: Iterator[Field]) -> Iterator[Field]:
    yield from {field.name: field for field in fields}.values()
