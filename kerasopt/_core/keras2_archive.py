"""`.keras` files of Keras 2, and folders they were unpacked into.

Their weights lie where Keras 3 looks for them. Their configuration names classes by modules that
Keras 3 does not have, holds arguments that are gone, and an optimizer of other variables.
"""

import json
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras

from kerasopt._core import keras2

_CONFIG, _METADATA = "config.json", "metadata.json"
# Longer ones are left to Keras, which refuses what is packed too tightly.
_LONGEST = 1 << 28
# Of optimizers, losses and metrics: arguments that Keras 3 gives them by itself, or has no use for.
_UNTAKEN = ("fn", "is_legacy_optimizer", "jit_compile")


def config_of(path: Path) -> dict[str, Any] | None:
    """Read the configuration of a `.keras` file, or folder, of Keras 2; `None` of anything else."""
    try:
        metadata, config = json.loads(_read(path, _METADATA)), json.loads(_read(path, _CONFIG))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None  # Keras says what it is
    if not isinstance(metadata, dict) or not isinstance(config, dict):
        return None
    return config if str(metadata.get("keras_version", "")).startswith("2.") else None


@contextmanager
def readable(path: Path, config: dict[str, Any]) -> Iterator[Path]:
    """Give the path of a copy that Keras 3 can read.

    Args:
        path: Of a file or folder of Keras 2.
        config: Its configuration.

    Raises:
        GoneError: If it holds a layer that Keras 3 does not have.
    """
    changed = _located(keras2.modern(config))
    changed.pop("compile_config", None)
    with tempfile.TemporaryDirectory(prefix="kerasopt-") as folder:
        copy = Path(folder, "model" if path.is_dir() else "model.keras")
        if path.is_dir():
            shutil.copytree(path, copy)
            Path(copy, _CONFIG).write_text(json.dumps(changed))
        else:
            # All others stay packed as they were, so Keras's guards see them; of two entries of
            # one name the last one counts.
            shutil.copyfile(path, copy)
            with zipfile.ZipFile(copy, "a") as archive, warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Duplicate name", UserWarning)
                archive.writestr(_CONFIG, json.dumps(changed))
        yield copy


def compile_arguments(config: dict[str, Any]) -> dict[str, Any] | None:
    """Give what `model.compile_from_config` takes, of a file's configuration; `None` if nothing.

    Args:
        config: As `config_of` gives it.

    Example:
    >>> compile_arguments({"compile_config": {"optimizer": "adam", "loss": None}})
    {'optimizer': 'adam'}
    """
    given = _taken(keras2.modern(config.get("compile_config") or {}))
    return {key: one for key, one in given.items() if one is not None} or None


def _taken(config: Any) -> Any:
    if isinstance(config, list):
        return [_taken(one) for one in config]
    if not isinstance(config, dict):
        return config
    config = {key: _taken(one) for key, one in config.items()}
    inner = config.get("config")
    if not isinstance(inner, dict):
        return config
    kept = {key: one for key, one in inner.items() if key not in _UNTAKEN}
    if kept.get("reduction") == "auto":  # which it was outside of a strategy
        kept["reduction"] = "sum_over_batch_size"
    return {**config, "config": kept}


def _read(path: Path, name: str) -> bytes:
    if path.is_dir():
        return Path(path, name).read_bytes()
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo(name).file_size > _LONGEST:
            raise ValueError(name)
        return archive.read(name)


def _located(config: Any) -> Any:
    """Name classes where Keras 3 has them, and let their first call build its own layers."""
    if isinstance(config, list):
        return [_located(one) for one in config]
    if not isinstance(config, dict):
        return config
    config = {key: _located(one) for key, one in config.items()}
    name, inner = config.get("class_name"), config.get("config")
    if str(config.get("module", "")).startswith("tf_keras."):
        functional = name == "Functional"
        module = {"module": "keras" if functional else "keras.layers", "registered_name": None}
        config = {**config, **module, "class_name": "Model" if functional else name}
    if name == "Functional" or hasattr(keras.layers, str(name)):
        config = {key: one for key, one in config.items() if key != "build_config"}
    if name != "InputLayer" and isinstance(inner, dict) and "batch_input_shape" in inner:
        inner = {key: one for key, one in inner.items() if key != "batch_input_shape"}
        config = {**config, "config": inner}
    return config
