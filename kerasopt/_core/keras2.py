"""Files of Keras 2, whose configuration Keras 3 does not take as it is.

What Keras 3 lacks of an argument is dropped where it holds the only value that Keras 3 computes;
else the file is refused, with the layer's name.
"""

import inspect
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import keras

_ANY = object()

# Argument -> the only value with which it may be left out, of layers that do not take it.
_GONE: dict[str, Any] = {
    "dynamic": False,
    "groups": 1,
    "implementation": _ANY,  # the same numbers, computed in another way
    "input_length": _ANY,
    "noise_shape": None,
    "rng_type": _ANY,
    "robust_masking": _ANY,  # of rows that are masked whole, which have no meaning
    "softmax_robust_masking": _ANY,
    "time_major": False,
    "trainable": _ANY,  # of layers without weights
    "query_shape": _ANY,  # what it was built with, which the model knows
    "key_shape": _ANY,
    "value_shape": _ANY,
}
_UNUSED = ("kernel_initializer", "kernel_regularizer", "kernel_constraint")
_OF_EVERY_LAYER = frozenset(
    ["activity_regularizer", "autocast", "batch_input_shape", "batch_shape", "dtype", "input_dim",
     "input_shape", "name", "trainable"]
)  # fmt: skip

ABSENT = {
    "DenseFeatures": "Keras 3 has no feature columns: use keras.utils.FeatureSpace",
    "LocallyConnected1D": "Keras 3 has no such layer",
    "LocallyConnected2D": "Keras 3 has no such layer",
    "RandomHeight": "Keras 3 has no such layer: use RandomZoom",
    "RandomWidth": "Keras 3 has no such layer: use RandomZoom",
    "SlicingOpLambda": "it is an operation of TensorFlow written between layers: use a layer",
    "TFOpLambda": "it is an operation of TensorFlow written between layers: use a layer",
}
"""Layers of Keras 2 that Keras 3 does not have, and what to do."""


class GoneError(ValueError):
    """A model holds something that Keras 3 does not have: which layer, and what to do."""


@keras.saving.register_keras_serializable("kerasopt")
def hard_sigmoid_of_keras_2(x: Any) -> Any:
    """Compute clip(0.2 x + 0.5, 0, 1); Keras 3's `hard_sigmoid` is clip(x / 6 + 0.5, 0, 1)."""
    return keras.ops.clip(0.2 * x + 0.5, 0.0, 1.0)


class _Attention(keras.layers.Attention):
    """Takes the word "dot" back, in whose place Keras's reader of old files finds a function."""

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Make Keras's own layer."""
        mode = config.get("score_mode", "dot")
        return keras.layers.Attention.from_config(
            {**config, "score_mode": getattr(mode, "__name__", mode)}
        )


OBJECTS: dict[str, Any] = {"Attention": _Attention}
"""Classes that the reader of such a file has to be given."""


@contextmanager
def readable(path: Path) -> Iterator[Path]:
    """Give the path of an `.h5` file that Keras 3 can read: a copy, if its configuration changes.

    Args:
        path: Of an `.h5` file, of any version of Keras.

    Raises:
        GoneError: If it holds a layer that Keras 3 does not have.
    """
    config = _config(path)
    changed = None if config is None else modern(config)
    if changed == config:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="kerasopt-") as folder:
        copy = Path(folder, "model.h5")
        shutil.copyfile(path, copy)
        with h5py.File(copy, "r+") as file:
            file.attrs["model_config"] = json.dumps(changed).encode()
        yield copy


def is_hdf5(path: Path) -> bool:
    """Tell whether a file is of HDF5, whatever is in it."""
    try:
        with h5py.File(path, "r"):
            return True
    except OSError:
        return False


def _config(path: Path) -> Any:
    """Read the configuration in an `.h5` file of Keras 2; `None` of anything else."""
    try:
        with h5py.File(path, "r") as file:
            text, version = file.attrs.get("model_config"), file.attrs.get("keras_version", "")
    except OSError:
        return None  # Keras says what it is
    version = version.decode() if isinstance(version, bytes) else str(version)
    if text is None or (version and not version.startswith(("1.", "2."))):
        return None
    return json.loads(text)


def modern(config: Any) -> Any:
    """Rewrite the configuration of a model of Keras 2, as plain data, for Keras 3.

    Args:
        config: What `model.to_json()` of Keras 2 gives, parsed.

    Raises:
        GoneError: If it holds a layer that Keras 3 does not have, or one with an argument that is
            gone and had another value than the one that is left.

    Example:
    >>> config = {"name": "d", "groups": 1, "kernel_size": [3, 3], "depth_multiplier": 1}
    >>> modern({"class_name": "DepthwiseConv2D", "config": config})["config"]
    {'name': 'd', 'kernel_size': [3, 3], 'depth_multiplier': 1}
    """
    if isinstance(config, list):
        return [modern(one) for one in config]
    if not isinstance(config, dict):
        return config
    name, inner = config.get("class_name"), config.get("config")
    if not isinstance(name, str) or not isinstance(inner, dict):
        return {key: modern(one) for key, one in config.items()}
    if name in ABSENT:
        raise GoneError(f"{name} {inner.get('name', '')!r}: {ABSENT[name]}.")
    if name.startswith("Policy"):
        return inner.get("name")
    inner = {key: modern(one) for key, one in inner.items()}
    if name == "ThresholdedReLU":  # the same numbers
        name, theta = "ReLU", inner.pop("theta")
        config, inner = {**config, "class_name": name}, {**inner, "threshold": theta}
    layer = getattr(keras.layers, name, None)
    if isinstance(inner.get("layers"), list):
        ends = {"input_layers", "output_layers"} & set(inner)
        shifted = _shifts(inner["layers"], [inner[one] for one in sorted(ends)])
        inner["layers"] = _rewired(inner["layers"], set(shifted))
        # Of ends that are outputs of a Functional model, Keras takes 1 off by itself.
        wired = {one for one, functional in shifted.items() if not functional}
        for one in ends:
            inner[one] = _renumbered(inner[one], wired)
    elif inspect.isclass(layer):
        inner = _known(name, layer, inner)
    return {**config, "config": inner}


def _known(name: str, layer: type, config: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a layer's configuration what its class does not take, and change nothing."""
    parameters = inspect.signature(layer).parameters
    taken = set(parameters)
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        taken |= _OF_EVERY_LAYER
    if not name.startswith("Separable"):  # which has kernels of two other names
        taken |= {*_UNUSED}
    lost = {key: config[key] for key in config if key in (*_GONE, *_UNUSED) and key not in taken}
    for key, value in lost.items():
        only = _GONE.get(key, _ANY)
        if only is not _ANY and value != only:
            raise GoneError(
                f"{name} {config.get('name', '')!r}: Keras 3 has no {key}={value!r}, only {only!r}."
            )
    kept = {key: value for key, value in config.items() if key not in lost}
    if isinstance(kept.get("backward_layer"), dict):
        kept["backward_layer"] = {"module": "keras.layers", **kept["backward_layer"]}
    if name == "BatchNormalization" and isinstance(kept.get("axis"), list):
        (kept["axis"],) = kept["axis"]
    return {key: _activation(key, value) for key, value in kept.items()}


def _activation(key: str, value: Any) -> Any:
    if not key.endswith("activation") or value != "hard_sigmoid":
        return value
    function = hard_sigmoid_of_keras_2
    return {
        "module": "builtins",
        "class_name": "function",
        "config": function.__name__,
        "registered_name": keras.saving.get_registered_name(function),
    }


def _shifts(layers: list[Any], ends: list[Any]) -> dict[str, bool]:
    """Name the models inside whose calls Keras 2 counts from 1, and Keras 3 from 0.

    Returns:
        By name, whether it is a Functional model, and not a Sequential one.
    """
    inside = {}
    for one in layers:
        config = one.get("config")
        if isinstance(config, dict) and isinstance(config.get("layers"), list):
            inside[one.get("name")] = "input_layers" in config
    first: dict[str, int] = {}
    for nodes in (*(one.get("inbound_nodes") for one in layers), *ends):
        for name, number, *_ in _references(nodes):
            first[name] = min(number, first.get(name, number))
    return {name: inside[name] for name, number in first.items() if name in inside and number > 0}


def _is_reference(value: Any) -> bool:
    """Tell whether it is [layer, number of the call, number of the output, ...]."""
    return (
        isinstance(value, list)
        and len(value) in (3, 4)
        and isinstance(value[0], str)
        and all(isinstance(one, int) for one in value[1:3])
    )


def _references(nodes: Any) -> Iterator[list[Any]]:
    if _is_reference(nodes):
        yield nodes
        nodes = nodes[3:]
    for one in nodes.values() if isinstance(nodes, dict) else nodes or ():
        if isinstance(one, (dict, list)):
            yield from _references(one)


def _renumbered(nodes: Any, shifted: set[str]) -> Any:
    if _is_reference(nodes):
        number = nodes[1] - (nodes[0] in shifted)
        return [nodes[0], number, nodes[2], *_renumbered(nodes[3:], shifted)]
    if isinstance(nodes, dict):
        return {key: _renumbered(one, shifted) for key, one in nodes.items()}
    return [_renumbered(one, shifted) for one in nodes] if isinstance(nodes, list) else nodes


def _rewired(layers: list[Any], shifted: set[str]) -> list[Any]:
    found = []
    for one in layers:
        nodes = _renumbered(one.get("inbound_nodes"), shifted)
        if isinstance(nodes, list):
            nodes = [_node(node, one.get("class_name")) for node in nodes]
        found.append(one if nodes is None else {**one, "inbound_nodes": nodes})
    return found


def _node(node: Any, name: str | None) -> Any:
    """Rewrite one call of a layer, if it is given tensors in a way that Keras 3 does not read.

    Keras 2 writes the states of a recurrent layer among its inputs, and tensors that are given by
    keyword as references.
    """
    if not isinstance(node, list) or not node or not all(map(_is_reference, node)):
        return node
    first, *others = node
    keywords = dict(first[3]) if len(first) > 3 else {}
    states = name in _RECURRENT and others
    if not states and not any(True for _ in _references(keywords)):
        return node
    if states:
        keywords["initial_state"] = others
    given = [first] if states else node
    arguments = [_tensor(one[:3]) for one in given]
    return {
        "args": [arguments if len(arguments) > 1 else arguments[0]],
        "kwargs": _tensors(keywords),
    }


def _tensors(value: Any) -> Any:
    if _is_reference(value):
        return _tensor(value[:3])
    if isinstance(value, dict):
        return {key: _tensors(one) for key, one in value.items()}
    return [_tensors(one) for one in value] if isinstance(value, list) else value


def _tensor(reference: list[Any]) -> dict[str, Any]:
    # Keras takes the tensor itself from the history; shape and type are read, and not used.
    config = {"shape": [None], "dtype": "float32", "keras_history": reference}
    return {"class_name": "__keras_tensor__", "config": config}


_RECURRENT = ("GRU", "LSTM", "SimpleRNN", "RNN", "Bidirectional", "ConvLSTM1D", "ConvLSTM2D",
              "ConvLSTM3D")  # fmt: skip
