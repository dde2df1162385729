"""Names and arguments that will go: said once, at the user's line."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from kerasopt._core.checks import warn

_Callable = TypeVar("_Callable", bound=Callable[..., Any])


def deprecated(*, since: str, removed_in: str, use: str) -> Callable[[_Callable], _Callable]:
    """Mark a function or a class as going away.

    Args:
        since: The version that says so first.
        removed_in: The version that has it no more.
        use: What to call in its place.

    Returns:
        A decorator. What it decorates works as before, and warns when it is called.

    Example:
    >>> @deprecated(since="0.3", removed_in="0.5", use="kerasopt.shrink")
    ... def make_smaller(model):
    ...     return model
    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     _ = make_smaller("model")
    >>> str(caught[0].message)
    '`make_smaller` is deprecated since 0.3 and goes in 0.5: use `kerasopt.shrink`.'
    """

    def mark(function: _Callable) -> _Callable:
        name = function.__name__
        message = f"`{name}` is deprecated since {since} and goes in {removed_in}: use `{use}`."

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            warn(message, FutureWarning)
            return function(*args, **kwargs)

        return cast("_Callable", called)

    return mark
