"""A bound that may not be crossed: as a number, or as a factor of another number."""

from typing import Any

from kerasopt._checks import bad_value, number


def one_bound(
    name: str, value: float | None, factor: float | None
) -> tuple[float | None, float | None]:
    """Check that either a bound of that name or a factor > 1 is given.

    Raises:
        TypeError: If it is not a number.
        ValueError: If both are given, or neither, or the factor is not above 1.
    """
    if (value is None) == (factor is None):
        given = {name: value, "factor": factor}
        raise bad_value(name, f"a float, or a float for `factor` and none for `{name}`", given)
    if factor is not None and number("factor", factor) <= 1.0:
        raise bad_value("factor", "a float > 1", factor)
    return (
        None if value is None else number(name, value),
        None if factor is None else float(factor),
    )


def times_worse(reference: float, factor: float, mode: str) -> float | None:
    """Give the value that is `factor` times worse than `reference`.

    Args:
        reference: A metric's value.
        factor: Float > 1.
        mode: `"min"` or `"max"`.

    Returns:
        `reference * factor` where that is worse, else `reference / factor`; `None` for 0, of which
        no factor makes anything else.

    Example:
    >>> times_worse(0.2, 3.0, "min"), times_worse(0.9, 2.0, "max"), times_worse(-1.0, 2.0, "min")
    (0.6000000000000001, 0.45, -0.5)
    """
    if reference == 0.0:
        return None
    return reference * factor if (reference > 0.0) == (mode == "min") else reference / factor


def is_worse(value: float, bound: float | None, mode: str) -> Any:
    """Tell whether a value is beyond a bound; no bound is never crossed."""
    return bound is not None and (value > bound if mode == "min" else value < bound)
