"""What users are told: errors for arguments, one way for all, and warnings at their own line."""

import difflib
import math
import numbers
import sys
import threading
import warnings
from collections.abc import Iterable
from types import FrameType
from typing import Any, TypeGuard

from kerasopt._core.errors import KerasoptWarning

_LIBRARIES = {
    "contextlib",
    "functools",
    "keras",
    "keras_tuner",
    "kerasopt",
    "optuna",
    "tensorflow",
    "tf_keras",
    "threading",
}


def _message(argument: str, expected: str, received: object, advice: str) -> str:
    text = repr(received)
    if len(text) > 200:
        text = f"{text[:200]}... ({type(received).__name__})"
    message = f"Invalid value for argument `{argument}`. Expected {expected}. "
    message += f"Received: {argument}={text}."
    return f"{message} {advice}" if advice else message


def bad_value(argument: str, expected: str, received: object, advice: str = "") -> ValueError:
    """Give the `ValueError` for an argument whose value is wrong.

    Args:
        argument: Name of the argument as the user wrote it.
        expected: What would have been right, after the word "Expected".
        received: What came instead.
        advice: One more sentence: what to do.

    Returns:
        The error, to be raised by the caller.

    Example:
    >>> raise bad_value("rate", "a float in [0, 1)", 1.5)
    Traceback (most recent call last):
        ...
    ValueError: Invalid value for argument `rate`. Expected a float in [0, 1). Received: rate=1.5.
    """
    return ValueError(_message(argument, expected, received, advice))


def bad_type(argument: str, expected: str, received: object, advice: str = "") -> TypeError:
    """Give the `TypeError` for an argument of the wrong type; arguments as in `bad_value`."""
    return TypeError(_message(argument, expected, received, advice))


def is_real(value: object) -> bool:
    """Tell whether `value` is a finite real number (a Boolean is not one)."""
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return False
    return math.isfinite(float(value))


def is_integer(value: object) -> TypeGuard[int]:
    """Tell whether `value` is an integer (a Boolean is not one)."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def fraction(argument: str, value: Any) -> float:
    """Check a share that must lie in [0, 1), such as a sparsity or a dropout rate.

    Raises:
        TypeError: If it is not a number.
        ValueError: If it is outside [0, 1) or not finite.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise bad_type(argument, "a float in [0, 1)", value, meant_share(value))
    if not 0.0 <= float(value) < 1.0:
        raise bad_value(argument, "a float in [0, 1)", value, meant_share(value))
    return float(value)


def meant_share(value: Any) -> str:
    """Give a sentence that offers the share that a percentage or a text stands for, or nothing.

    Example:
    >>> meant_share(80), meant_share("80%"), meant_share("0.8"), meant_share(1.2)
    ('Did you mean 0.8?', 'Did you mean 0.8?', 'Did you mean 0.8?', '')
    """
    text = value.strip() if isinstance(value, str) else ""
    try:
        found = float(text.rstrip("% ") if text else value)
    except (TypeError, ValueError, OverflowError):
        return ""
    if isinstance(value, bool) or not 0.0 <= found < 100.0:
        return ""
    if 1.0 <= found < 2.0 and "%" not in text:  # a little too much of a share, no percentage
        return ""
    share = found / 100.0 if "%" in text or found > 1.0 else found
    return f"Did you mean {share:.6g}?"


def number(argument: str, value: Any) -> float:
    """Check a finite real number, NumPy's included.

    Raises:
        TypeError: If it is not a number.
        ValueError: If it is not finite.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise bad_type(argument, "a float", value)
    if not is_real(value):
        raise bad_value(argument, "a finite float", value)
    return float(value)


def positive(argument: str, value: Any) -> float:
    """Check a finite real number above 0.

    Raises:
        TypeError: If it is not a number.
        ValueError: If it is not finite or not above 0.
    """
    if number(argument, value) <= 0.0:
        raise bad_value(argument, "a float > 0", value)
    return float(value)


def not_negative(argument: str, value: Any) -> float:
    """Check a finite real number that may be 0 but not below.

    Raises:
        TypeError: If it is not a number.
        ValueError: If it is not finite or below 0.
    """
    if number(argument, value) < 0.0:
        raise bad_value(argument, "a float >= 0", value)
    return float(value)


def flag(argument: str, value: Any) -> bool:
    """Check a Boolean.

    Raises:
        TypeError: If it is something else.
    """
    if not isinstance(value, bool):
        raise bad_type(argument, "True or False", value)
    return value


def verbosity(value: Any) -> int:
    """Check a `verbose` argument: a Boolean or an integer >= 0.

    Raises:
        TypeError: If it is something else.
        ValueError: If it is negative.
    """
    return at_least("verbose", int(value) if isinstance(value, bool) else value, 0)


def at_least(argument: str, value: Any, minimum: int) -> int:
    """Check an integer that must not be below `minimum`.

    Raises:
        TypeError: If it is not an integer.
        ValueError: If it is too small.
    """
    if not is_integer(value):
        raise bad_type(argument, f"an integer >= {minimum}", value)
    if value < minimum:
        raise bad_value(argument, f"an integer >= {minimum}", value)
    return int(value)


def word_or_count(argument: str, value: Any, word: str, what: str) -> int | str:
    """Check an integer >= 1, in place of which one word may stand.

    Args:
        argument: Name of the argument.
        value: What was given.
        word: The word.
        what: What the integer counts, such as "steps".

    Raises:
        TypeError: If it is neither an integer nor a string.
        ValueError: If it is below 1, or another word.
    """
    expected = f'"{word}" or an integer >= 1, a number of {what}'
    if isinstance(value, str):
        if value == word:
            return word
        raise bad_value(argument, expected, value)
    if not is_integer(value):
        raise bad_type(argument, expected, value)
    if value < 1:
        raise bad_value(argument, expected, value)
    return int(value)


def one_of(argument: str, value: Any, choices: Iterable[str]) -> str:
    """Check a word that must be one of `choices`; the closest one is named if it is not.

    Raises:
        ValueError: If it is none of them.
    """
    names = list(choices)
    if isinstance(value, str) and value in names:
        return value
    raise bad_value(argument, f"one of {names}", value, did_you_mean(value, names))


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Give a sentence that offers the closest known name, or nothing if none is close.

    Example:
    >>> did_you_mean("dens", ["dense", "conv2d"])
    "Did you mean 'dense'?"
    """
    close = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.5)
    return f"Did you mean {close[0]!r}?" if close else ""


def warn(message: str, category: type[Warning] = KerasoptWarning) -> None:
    """Warn at the user's line: the nearest one above the caller that is of no library.

    Args:
        message: What to say.
        category: Class of the warning. Defaults to `KerasoptWarning`.
    """
    found = _users(sys._getframe())
    if found is None:  # a thread of a distribution strategy; that of the user waits for it
        found = _users(sys._current_frames().get(threading.main_thread().ident or 0))
    if found is None:  # all are of libraries, as in a command
        warnings.warn(message, category, stacklevel=2)
        return
    code, place = found.f_code, found.f_globals
    registry = place.setdefault("__warningregistry__", {})
    name = place.get("__name__")
    warnings.warn_explicit(message, category, code.co_filename, found.f_lineno, name, registry)


def warn_each(messages: Iterable[str]) -> None:
    """Warn at the user's line, once of several messages that are alike."""
    for message in dict.fromkeys(messages):
        warn(message)


def _users(frame: FrameType | None) -> FrameType | None:
    while frame is not None and _library(frame) in _LIBRARIES:
        frame = frame.f_back
    return frame


def _library(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]
