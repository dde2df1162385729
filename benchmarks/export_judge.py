"""Is a file what the model is? Whoever made it, by LiteRT alone, and generously."""

import itertools
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from kerasopt.export.validation.agreement import Agreement, compare, shortfall

_BATCH = 20


def keras_outputs(model: Any, data: Any) -> list[np.ndarray]:
    """Run the Keras model on all samples."""
    values = tf.constant(data) if getattr(getattr(data, "dtype", None), "kind", "") == "O" else data
    return [np.asarray(one) for one in keras.tree.flatten(model(values, training=False))]


class WrongError(Exception):
    """A file that does not run, or gives other numbers."""


def judge(file: bytes, mode: str, arrays: list[np.ndarray], right: list[np.ndarray]) -> float:
    """Give the lowest ratio of all outputs in dB, whatever the order of inputs and outputs.

    The order that fits best counts, as the peers do not keep names; a file whose inputs were
    swapped in calibration still has the wrong ranges.

    Raises:
        WrongError: If it does not run, or an output is below the floor of its mode.
    """
    best: tuple[float, str] | None = None
    try:
        runner = Interpreter(model_content=file).get_signature_runner()
        names = list(runner.get_input_details())
        for order in itertools.permutations(range(len(arrays))):
            given = dict(zip(names, (arrays[one] for one in order), strict=True))
            came = _run(runner, given)
            for chosen in itertools.permutations(came):
                found = _worst(mode, right, list(chosen))
                if found is not None and (best is None or found[0] > best[0]):
                    best = found
    except (RuntimeError, ValueError) as error:
        raise WrongError(f"does not run: {' '.join(str(error).split())[:160]}") from error
    if best is None:
        raise WrongError("outputs of other shapes")
    if best[1]:
        raise WrongError(best[1])
    return best[0]


def _worst(mode: str, right: list[np.ndarray], came: list[np.ndarray]) -> tuple[float, str] | None:
    if [one.shape for one in right] != [one.shape for one in came]:
        return None
    found: list[Agreement] = [compare(*pair) for pair in zip(right, came, strict=True)]
    worst = min(found, key=lambda one: one.sqnr_db)
    return worst.sqnr_db, shortfall(mode, worst)


def _run(runner: Any, given: dict[str, np.ndarray]) -> list[np.ndarray]:
    details = runner.get_input_details()
    fixed = any(one["shape_signature"][0] > 0 for one in details.values())
    size = 1 if fixed else _BATCH
    parts = [
        runner(
            **{
                name: array[begin : begin + size].astype(details[name]["dtype"])
                for name, array in given.items()
            }
        )
        for begin in range(0, len(next(iter(given.values()))), size)
    ]
    return [np.concatenate([part[name] for part in parts]) for name in parts[0]]
