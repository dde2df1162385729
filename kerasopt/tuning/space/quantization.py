"""Which precision the exported file has."""

from collections.abc import Sequence
from typing import Any

from kerasopt.export.options import MODES, require_quantizer
from kerasopt.tuning.space.registration import checked_prefix, checked_words, pick

USUAL = ("float32", "float16", "dynamic", "int8")


def quantization(
    hp: Any, prefix: str = "quantization", modes: Sequence[str] = USUAL
) -> dict[str, Any]:
    """Search for a precision, and give it as an argument of `kerasopt.export.to_tflite`.

    | hyperparameter | values | active |
    |---|---|---|
    | `quantization/mode` | `modes` | always |

    Args:
        hp: A `keras_tuner.HyperParameters`.
        prefix: What the name begins with. Defaults to `"quantization"`.
        modes: The modes of `to_tflite` that are searched; a single one is fixed. `"int8"` and
            `"int16x8"` need calibration data, which the caller gives to `to_tflite`. Defaults to
            `("float32", "float16", "dynamic", "int8")`.

    Returns:
        Dict of `mode`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If a mode is not known.
        ImportError: If a mode needs a package that is not installed.

    Example:
    >>> import keras_tuner
    >>> hp = keras_tuner.HyperParameters()
    >>> quantization(hp, modes=["int8", "float16"]), hp.values
    ({'mode': 'int8'}, {'quantization/mode': 'int8'})
    """
    name = checked_prefix(prefix)
    found = checked_words("modes", modes, MODES)
    for mode in found:
        require_quantizer(mode)
    return {"mode": pick(hp, f"{name}/mode", found)}
