"""Names of objects of one kind: found by a name, written as plain data, and made again."""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from kerasopt._core import serialization
from kerasopt._core.checks import bad_type, bad_value, did_you_mean

Kind = TypeVar("Kind")

_FORM = "what `serialize` gave: a dict with `class_name` and `config`"


def snake_case(name: str) -> str:
    """Give the name of a class as the names of functions are written.

    Example:
    >>> snake_case("PolynomialDecay"), snake_case("NM"), snake_case("L1Norm")
    ('polynomial_decay', 'nm', 'l1_norm')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Registry(Generic[Kind]):
    """Classes of one kind, by name.

    A class is found by its name (`"PolynomialDecay"`), by its name in snake case
    (`"polynomial_decay"`), and by short names that are registered for it.

    Args:
        argument: The argument that takes such an object, for messages: `"scope"`.
        base: The class that all of them derive from.
        classes: The classes.
        names: Short name -> class. Defaults to `None`: messages offer the names in snake case of
            the classes that can be made without arguments.
        forms: Examples of what else a string may be, where a `get` around this one reads more than
            names: `["2:4"]`. Defaults to none.
        also: What else may be given, for messages: `"a function of the weights"`. Defaults to
            nothing.
    """

    def __init__(
        self,
        argument: str,
        base: type[Any],
        classes: Iterable[type[Any]],
        names: Mapping[str, type[Any]] | None = None,
        forms: Sequence[str] = (),
        also: str = "",
    ):
        short = dict(names or {})
        self.argument, self.base = argument, base
        self.classes: dict[str, type[Any]] = {
            cls.__name__: cls for cls in (*classes, *short.values())
        }
        snake = {snake_case(name): cls for name, cls in self.classes.items()}
        self._known = {**snake, **short, **self.classes}
        free = {name: cls for name, cls in snake.items() if not _required(cls)}
        self.named: dict[str, type[Any]] = short or free
        self._offered = [*self.named, *forms]
        self._names = f"its name (one of {self._offered})"
        if forms:
            self._names = f"or a name such as {self._offered}"
        self._also = also

    def find(
        self,
        name: Any,
        custom_objects: Mapping[str, type[Any]] | None = None,
        argument: str = "class_name",
    ) -> type[Any]:
        """Give the class of a name.

        Args:
            name: A class name, or one in snake case, or a short one.
            custom_objects: Classes of the user's own, by name. They come first. Defaults to `None`.
            argument: Who is to blame. Defaults to `"class_name"`.

        Raises:
            ValueError: If there is no class of that name; the closest is named.
        """
        known = {**self._known, **(custom_objects or {})}
        if isinstance(name, str) and name in known:
            return known[name]
        names = [*self.classes, *(custom_objects or {})]
        raise bad_value(argument, f"one of {names}", name, did_you_mean(name, known))

    def get(self, value: Any, custom_objects: Mapping[str, type[Any]] | None = None) -> Kind:
        """Give the object that `value` is, names or describes.

        Args:
            value: An object of this kind, a name in any case of a class that needs no arguments,
                or what `serialize` gave.
            custom_objects: Classes of the user's own, by name. Defaults to `None`.

        Raises:
            TypeError: If it is something else.
            ValueError: If the name is not known, or the class needs arguments.
        """
        found: Kind
        if isinstance(value, self.base):
            found = value
            return found
        if is_serialized(value):
            return self.deserialize(value, custom_objects)
        if not isinstance(value, str):
            also = f" or {self._also}" if self._also else ""
            raise bad_type(self.argument, f"a {self.argument}, {self._names}{also}", value)
        known = {name.lower(): cls for name, cls in self._known.items()}
        known.update(custom_objects or {})
        name = value.strip()
        cls = known.get(name) or known.get(name.lower())
        if cls is None:
            offered = [*self._offered, *(custom_objects or {})]
            advice = did_you_mean(name.lower(), [*offered, *known])
            raise bad_value(self.argument, f"one of {offered}", value, advice)
        needed = _required(cls)
        if needed:
            example = f"{cls.__name__}({', '.join(f'{one}=...' for one in needed)})"
            raise bad_value(
                self.argument,
                f"one of {self._offered}, or an object" if self._offered else "an object",
                value,
                f"{cls.__name__} needs arguments: give `{example}`.",
            )
        found = cls()
        return found

    def serialize(self, thing: Kind) -> dict[str, Any]:
        """Give an object as plain data: its class name and its configuration.

        Raises:
            TypeError: If it is not of this kind.
        """
        if not isinstance(thing, self.base):
            raise bad_type(self.argument, f"a {self.argument}: {self.base.__name__}", thing)
        return serialization.serialize(thing)

    def deserialize(
        self, config: Any, custom_objects: Mapping[str, type[Any]] | None = None
    ) -> Kind:
        """Make an object from what `serialize` gave.

        Args:
            config: Dict with `class_name` and `config`.
            custom_objects: Classes of the user's own, by name, also for objects in this one.
                Defaults to `None`.

        Raises:
            TypeError: If `config` is no dict.
            ValueError: If it has not these two keys, or the class is unknown.
        """
        if not isinstance(config, Mapping):
            raise bad_type("config", _FORM, config)
        if not isinstance(config.get("config"), Mapping) or "class_name" not in config:
            raise bad_value("config", _FORM, dict(config))
        cls = self.find(config["class_name"], custom_objects)
        further: dict[str, Any] = {}
        if "custom_objects" in inspect.signature(cls.from_config).parameters:
            further["custom_objects"] = custom_objects
        found: Kind = cls.from_config(config["config"], **further)
        return found


class FunctionRegistry(Generic[Kind]):
    """Functions of one kind, by name; a function of the user's own stands for itself.

    Args:
        argument: The argument that takes such a function, for messages: `"importance"`.
        functions: Name -> function.
        also: What else may be given, for messages: `"a function of a group"`.
    """

    def __init__(self, argument: str, functions: Mapping[str, Kind], also: str):
        self.argument, self.functions = argument, dict(functions)
        self._also = also

    def serialize(self, value: Any) -> str | Callable[..., Any]:
        """Give the name of what `value` is or names; a function of the user's own as it is.

        Raises:
            TypeError: If it is neither a name nor a function.
            ValueError: If there is none of that name.
        """
        if isinstance(value, str):
            name = value.strip().lower()
            if name in self.functions:
                return name
            names = list(self.functions)
            raise bad_value(self.argument, f"one of {names}", value, did_you_mean(name, names))
        if not callable(value) or isinstance(value, type):
            expected = f"one of {list(self.functions)} or {self._also}"
            raise bad_type(self.argument, expected, value)
        return next((name for name, one in self.functions.items() if one is value), value)

    def get(self, value: Any) -> Kind | Callable[..., Any]:
        """Give the function that `value` is or names; arguments and errors as in `serialize`."""
        found = self.serialize(value)
        return self.functions[found] if isinstance(found, str) else found

    deserialize = get


def is_serialized(value: Any) -> bool:
    """Tell whether something has the form of what `serialize` gives.

    A dict of layer -> number, with a layer named `class_name`, has not.

    Example:
    >>> is_serialized({"class_name": "Erk", "config": {}}), is_serialized({"class_name": 0.5})
    (True, False)
    """
    if not isinstance(value, Mapping) or set(value) != {"class_name", "config"}:
        return False
    return isinstance(value["class_name"], str)


def _required(cls: type[Any]) -> list[str]:
    return [
        name
        for name, parameter in inspect.signature(cls).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
