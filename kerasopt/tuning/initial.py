"""What is tried first."""

from collections.abc import Mapping, Sequence
from typing import Any

from kerasopt._checks import bad_type, bad_value


def check_initial(initial: Any) -> list[dict[str, Any]]:
    """Check an `initial` argument; an empty dict stands for all defaults.

    Raises:
        TypeError: If it is neither a list of dicts nor a word.
        ValueError: If it is another word than `"default"`.
    """
    if initial is None:
        return []
    expected = '"default" or a list of dicts of hyperparameter -> value'
    if isinstance(initial, str):
        if initial != "default":
            raise bad_value("initial", expected, initial)
        return [{}]
    if not isinstance(initial, Sequence) or not all(
        isinstance(one, Mapping) and one for one in initial
    ):
        raise bad_type("initial", expected, initial)
    return [dict(one) for one in initial]
