"""Objects that are made from a configuration, as plain data and back."""

from collections.abc import Mapping
from typing import Any

from kerasopt._checks import bad_type, bad_value, one_of


def serialize(thing: Any) -> dict[str, Any]:
    """Give a thing as plain data: its class name and its configuration."""
    return {"class_name": type(thing).__name__, "config": thing.get_config()}


def deserialize(
    config: Any,
    kinds: Mapping[str, type[Any]],
    custom_objects: Mapping[str, type[Any]] | None = None,
) -> Any:
    """Make a thing from what `serialize` gave.

    Args:
        config: Dict with `class_name` and `config`.
        kinds: The classes that are known, by name.
        custom_objects: More of them, the user's own. Defaults to `None`.

    Raises:
        TypeError: If `config` is no dict.
        ValueError: If it has not these two keys, or the class is unknown.
    """
    form = "what `serialize` gave: a dict with `class_name` and `config`"
    if not isinstance(config, Mapping):
        raise bad_type("config", form, config)
    if not isinstance(config.get("config"), Mapping) or "class_name" not in config:
        raise bad_value("config", form, dict(config))
    known = {**kinds, **(custom_objects or {})}
    cls = known[one_of("class_name", config["class_name"], known)]
    return cls.from_config(config["config"])
