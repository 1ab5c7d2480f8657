"""Results that keep the struct of C and convert a field when it is first read: a trade takes less time than what it tells does."""

from __future__ import annotations

from typing import Any, Callable, Optional, TypeVar

Result = TypeVar("Result", bound="Lazy")

_new = object.__new__
_set = object.__setattr__  # a frozen dataclass has none of its own


class _Attributes:
    """What is behind Lazy.__dict__: the attributes that there are by now."""


_attributes = vars(_Attributes)["__dict__"].__get__


class Lazy(_Attributes):
    """The base of such a dataclass. Nobody can tell an instance from one that was made of its fields.

    The struct belongs to the instance and does not change any more, so any thread may read any field at any time: the worst that
    can happen is that two of them convert it.
    """

    __slots__ = ("_struct",)
    _struct: Any  # not set if it was made of its fields

    @property
    def __dict__(self) -> dict[str, Any]:  # type: ignore[override]
        """For vars, copy and pickle: all fields, in their order."""
        if not hasattr(self, "_struct"):
            found: dict[str, Any] = _attributes(self)
            return found
        return {name: getattr(self, name) for name in self.__dataclass_fields__}  # type: ignore[attr-defined]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__


class Field:
    """In the class, where an attribute is looked for that the instance does not have yet."""

    def __init__(self, name: str, convert: Callable[[Any], Any]) -> None:
        self._name = name
        self._convert = convert

    def __get__(self, result: Optional[Lazy], kind: type[Lazy]) -> Any:
        if result is None:
            raise AttributeError(f"{kind.__name__} has {self._name!r} in its instances only")
        value = self._convert(result._struct)
        _set(result, self._name, value)
        return value


def convert_lazily(kind: type[Lazy], **conversions: Callable[[Any], Any]) -> None:
    """Says how each field of a dataclass is made from the struct."""
    assert set(conversions) == set(kind.__dataclass_fields__)  # type: ignore[attr-defined]
    for name, convert in conversions.items():
        setattr(kind, name, Field(name, convert))


def lazy(kind: type[Result], struct: Any) -> Result:
    """The result that `struct` holds, which is the result's own from now on."""
    result = _new(kind)
    _set(result, "_struct", struct)
    return result
