"""A model of tensorflow-model-optimization as a plain Keras 3 model."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasopt._core import keras2
from kerasopt._core.checks import bad_type, bad_value
from kerasopt._core.errors import KerasoptError
from kerasopt.models import load_model

_CHILD = Path(__file__).with_name("child.py")
_TOLERANCE = 1e-4
_HALF = 2e-2  # two steps of bfloat16, whose mantissa has 8 bits
_HALVES = ("float16", "bfloat16")


class MigrationError(KerasoptError, RuntimeError):
    """A model could not be carried over, or gives other outputs afterwards."""


def from_tfmot(model: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """Turn a pruned, clustered or plain Keras 2 model into a Keras 3 model.

    tfmot's wrappers are taken off, in a process of its own (importing tfmot switches a process to
    Keras 2). The zeros and shared weights stay: go on with `callbacks.Pruning("keep")`. The result
    is compared with the old model on random inputs before it is given.

    Args:
        model: A Sequential or Functional `tf_keras` model, or the path of one: `.h5`, `.keras` as
            `tf_keras` saves it, or a folder with a SavedModel.
        custom_objects: Dict of your own Keras 3 layers and functions by name, for what the model
            holds beside Keras's own. Defaults to `None`.

    Returns:
        A Keras 3 model, not compiled, with the same weights.

    Raises:
        TypeError: If `model` is neither.
        ValueError: If there is nothing at that path.
        ImportError: If tfmot or tf_keras is not installed.
        MigrationError: If the model cannot be read by tfmot or rebuilt in Keras 3, or the outputs
            differ.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = _path(model, folder)
        _run(path, folder)
        return rebuilt(Path(folder), custom_objects)


def rebuilt(folder: Path, custom_objects: dict[str, Any] | None = None) -> Any:
    """Make the Keras 3 model of what `child.py` wrote into a folder, and compare it.

    Raises:
        MigrationError: As `from_tfmot`.
    """
    try:
        made = load_model(folder / "model.h5", custom_objects, compile=False)
    except keras2.GoneError as error:
        raise MigrationError(f"Keras 3 cannot rebuild the model. {error}") from error
    except Exception as error:
        raise MigrationError(
            f"Keras 3 cannot rebuild the model: {error}. Layers of your own are given by "
            "`custom_objects`."
        ) from error
    with np.load(folder / "check.npz", allow_pickle=False) as arrays:
        _compare(made, dict(arrays))
    return made


def _path(model: Any, folder: str) -> str:
    if isinstance(model, (str, os.PathLike)):
        if not Path(model).exists():
            raise bad_value("model", "the path of a model that exists", os.fspath(model))
        return os.fspath(model)
    if isinstance(model, keras.Model):
        raise bad_type("model", "a `tf_keras` model or a path", model, "It is of Keras 3 already.")
    legacy = type(model).__module__.startswith(("tf_keras", "tensorflow.python.keras"))
    if not (legacy or hasattr(model, "get_config")) or not hasattr(model, "save"):
        raise bad_type("model", "a `tf_keras` model or the path of one", model)
    path = str(Path(folder, "given.h5"))
    model.save(path)
    return path


def _run(path: str, folder: str) -> None:
    done = subprocess.run(
        [sys.executable, str(_CHILD), path, folder], capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        return
    last = [line for line in done.stderr.strip().splitlines() if line.strip()][-1:]
    why = last[0] if last else f"it ended with {done.returncode}"
    if "ModuleNotFoundError" in why:
        raise ImportError(f"It needs tfmot: pip install 'kerasopt[tfmot]'. ({why})")
    raise MigrationError(f"tfmot cannot read the model {path!r}: {why}")


def _compare(model: Any, arrays: dict[str, Any]) -> None:
    given = [keras.ops.convert_to_tensor(arrays[f"input_{n}"]) for n in range(len(model.inputs))]
    outputs = model(given if len(given) > 1 else given[0], training=False)
    half = any(one.compute_dtype in _HALVES for one in model.layers)
    for number, output in enumerate(keras.tree.flatten(outputs)):
        mine = np.asarray(keras.ops.convert_to_numpy(output), np.float64)
        theirs = np.asarray(arrays[f"output_{number}"], np.float64)
        if mine.shape != theirs.shape:
            raise MigrationError(
                f"The Keras 3 model gives something else: output {number} has the shape "
                f"{mine.shape} in place of {theirs.shape}."
            )
        scale = max(float(np.abs(theirs).max(initial=0.0)), 1e-6)
        difference = float(np.abs(mine - theirs).max(initial=0.0)) / scale
        if not difference <= (_HALF if half else _TOLERANCE):
            raise MigrationError(
                f"The Keras 3 model gives something else: output {number} differs by "
                f"{difference:.2g} of its range."
            )
