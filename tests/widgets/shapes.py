"""Whether a message has the shape that is written down for it."""

from __future__ import annotations

from types import UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)


def fits(value: Any, kind: Any) -> bool:
    """Whether a JSON value is of a type as the modules with messages write them."""
    if kind is Any:
        return True
    if is_typeddict(kind):
        hints = get_type_hints(kind)
        marked = get_type_hints(kind, include_extras=True)
        optional = {name for name, hint in marked.items() if get_origin(hint) is NotRequired}
        return (
            isinstance(value, dict)
            and hints.keys() - optional <= value.keys() <= hints.keys()
            and all(fits(item, hints[name]) for name, item in value.items())
        )
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return value in arguments
    if origin in (Union, UnionType):
        return any(fits(value, a) for a in arguments)
    if origin is list:
        return isinstance(value, list) and all(fits(v, arguments[0]) for v in value)
    if origin is dict:
        return isinstance(value, dict)
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return type(value) is kind
