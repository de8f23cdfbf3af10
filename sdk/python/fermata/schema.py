"""Dataclasses as JSON and as JSON Schemas."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from typing import Any, Literal, Union

_ABOUT = "description"
_SCALARS: dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def about(description: str, default: Any = dataclasses.MISSING) -> Any:
    """A field of a dataclass with a description for people, and perhaps a default."""
    metadata = {_ABOUT: description}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    if isinstance(default, (list, dict)):
        return dataclasses.field(default_factory=default.copy, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


def schema_of(kind: Any) -> dict[str, Any]:
    """The JSON Schema of a type: a dataclass, a scalar, ``list``, ``dict``, ``Literal``, or one of them or ``None``."""
    if dataclasses.is_dataclass(kind):
        return _schema_of_fields(kind)
    if kind in _SCALARS:
        return {"type": _SCALARS[kind]}
    if kind is None or kind is type(None):
        return {"type": "null"}
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema_of(argument) for argument in arguments]}
    if kind is list or origin is list:
        return {"type": "array", "items": schema_of(arguments[0])} if arguments else {"type": "array"}
    if kind is dict or origin is dict:
        return {"type": "object", "additionalProperties": schema_of(arguments[1])} if arguments else {"type": "object"}
    return {}


def _schema_of_fields(kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    properties: dict[str, Any] = {}
    required = []
    for field in dataclasses.fields(kind):
        schema = schema_of(hints[field.name])
        if _ABOUT in field.metadata:
            schema[_ABOUT] = field.metadata[_ABOUT]
        properties[field.name] = schema
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            required.append(field.name)
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def read(kind: Any, value: Any) -> Any:
    """A value that JSON gave, as the type that it stands for. Raises ``TypeError`` if it does not fit."""
    if dataclasses.is_dataclass(kind):
        if not isinstance(value, dict):
            raise TypeError(f"expected an object, found {json.dumps(value)[:80]}")
        hints = typing.get_type_hints(kind)
        unknown = value.keys() - hints.keys()
        if unknown:
            raise TypeError(f"unknown field `{min(unknown)}`")
        return kind(**{name: read(hints[name], part) for name, part in value.items()})  # type: ignore[operator]
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list and arguments and isinstance(value, list):
        return [read(arguments[0], part) for part in value]
    if origin is dict and arguments and isinstance(value, dict):
        return {name: read(arguments[1], part) for name, part in value.items()}
    if origin in (Union, types.UnionType) and value is not None:
        classes = [argument for argument in arguments if argument is not type(None)]
        return read(classes[0], value) if len(classes) == 1 else value
    if kind is float and type(value) is int:
        return float(value)
    if kind in _SCALARS and type(value) is not kind:
        raise TypeError(f"expected {_SCALARS[kind]}, found {json.dumps(value)[:80]}")
    return value


def text_of(value: Any) -> str:
    """A dataclass, or anything that JSON can say, as JSON text."""
    return json.dumps(value, default=_plain, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} is no JSON")
