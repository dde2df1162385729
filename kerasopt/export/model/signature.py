"""What goes into a model and what comes out, by name: the same names the file will have."""

import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.checks import bad_value
from kerasopt.export.runtime.interpreter import unique
from kerasopt.selection import walk


@dataclass(frozen=True)
class Input:
    """One input: its name in the file, its key in the model (if any), shape and type.

    Where inputs are not `ordered`, data for several of them has to be given by name.
    """

    name: str
    key: str
    shape: tuple[int | None, ...]
    dtype: str
    ordered: bool = True


@dataclass(frozen=True)
class Signature:
    """The inputs of a model, in the order of `model.inputs`, and how to call it with them.

    Attributes:
        inputs: One `Input` each.
        structure: The nested structure the model is called with, leaves being positions.
        output_names: The model's own names for its outputs, in order; empty if it has none.
    """

    inputs: tuple[Input, ...]
    structure: Any
    output_names: tuple[str, ...]

    @property
    def batch(self) -> int | None:
        """The fixed batch size, or `None` if any will do."""
        return self.inputs[0].shape[0]

    def call(self, model: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        """Call `model` for inference.

        Args:
            model: The model this is the signature of.
            values: By input name, a tensor or array with the batch axis first.

        Returns:
            Dict of output name -> tensor.
        """
        flat = [values[one.name] for one in self.inputs]
        packed = keras.tree.map_structure(lambda position: flat[position], self.structure)
        return self.name_outputs(model(packed, training=False))

    def name_outputs(self, outputs: Any) -> dict[str, Any]:
        """Give the leaves of what the model returned by name."""
        found = keras.tree.flatten_with_path(outputs)
        if any(isinstance(part, str) for path, _ in found for part in path):
            names = ["_".join(str(part) for part in path) for path, _ in found]
        elif len(self.output_names) == len(found):
            names = list(self.output_names)
        else:
            names = [f"output_{position}" for position in range(len(found))]
        return dict(zip(unique(names), (leaf for _, leaf in found), strict=True))


def signature_of(model: Any, batch_size: int | None = None) -> Signature:
    """Read the signature of a built model.

    Args:
        model: A built Keras model of any style, or a `SavedModel`.
        batch_size: Fixes the batch axis. Defaults to `None`: as the model has it.

    Raises:
        ValueError: If the model does not know its inputs, or they are sparse or strings.
    """
    from kerasopt.export.model.saved_model import SavedModel  # which imports this module

    if isinstance(model, SavedModel):
        return model.signature(batch_size)
    tensors = getattr(model, "inputs", None)
    if tensors:
        structure = model.input if _keras.is_functional(model) else tensors[0]
        flat = keras.tree.flatten(structure)
        keys = _keys(structure) or [tensor.name for tensor in flat]
        names = _keys(structure) or _input_names(model, flat)
        shapes = [tuple(tensor.shape) for tensor in flat]
        dtypes = [keras.backend.standardize_dtype(tensor.dtype) for tensor in flat]
        if any(getattr(tensor, "sparse", False) for tensor in flat):
            raise bad_value("model", "a model whose inputs are dense", model)
        if not _keras.is_functional(model) and not _has_rnn(model):
            # A Sequential built by its first batch remembers that batch's size.
            shapes = [(None, *shape[1:]) for shape in shapes]
    else:
        structure = _built_shapes(model)
        flat = keras.tree.flatten(structure)
        keys = _keys(structure)
        if not keys:
            several = len(flat) > 1
            keys = [f"input_{i}" for i in range(len(flat))] if several else ["inputs"]
        names = keys
        shapes = [(None, *shape.sizes[1:]) for shape in flat]
        dtypes = ["float32"] * len(flat)
    if "string" in dtypes:
        raise bad_value(
            "model",
            "a model whose inputs are numbers",
            model,
            "Turn text into numbers before the model: lookups do not convert to TFLite.",
        )
    if batch_size is not None:
        shapes = [(batch_size, *shape[1:]) for shape in shapes]
    # TensorFlow makes parameters of them, which cannot be words of Python.
    plain = [f"{name}_" if keyword.iskeyword(name) else name for name in names]
    parts = zip(unique(plain), keys, shapes, dtypes, strict=True)
    positions = iter(range(len(flat)))
    return Signature(
        inputs=tuple(Input(*part) for part in parts),
        structure=keras.tree.map_structure(lambda _: next(positions), structure),
        output_names=tuple(_output_names(model)),
    )


class _Shape:
    """A shape that the tree functions take for a leaf."""

    def __init__(self, sizes: tuple[int | None, ...]):
        self.sizes = sizes


def _built_shapes(model: Any) -> Any:
    config = model.get_build_config() or {}
    shapes = config.get("input_shape", config.get("shapes_dict"))

    def leaf(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: leaf(inner) for key, inner in value.items()}
        if isinstance(value, (list, tuple)) and any(
            isinstance(inner, (list, tuple, Mapping)) for inner in value
        ):
            return [leaf(inner) for inner in value]
        return _Shape(tuple(value))

    if not shapes:
        raise bad_value(
            "model",
            "a model that knows its inputs",
            model,
            "Call it once on a batch of data, or rebuild it with `keras.Input`.",
        )
    return leaf(shapes)


def _keys(structure: Any) -> list[str]:
    paths = [path for path, _ in keras.tree.flatten_with_path(structure)]
    named = any(isinstance(part, str) for path in paths for part in path)
    return ["_".join(str(part) for part in path) for path in paths] if named else []


def _input_names(model: Any, tensors: list[Any]) -> list[str]:
    """Give the names of the input layers; a tensor's own may be a number of this process."""
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.InputLayer)]
    of_layer = {id(layer.output): layer.name for layer in layers}
    names = [of_layer.get(id(tensor), tensor.name) for tensor in tensors]
    return ["inputs" if re.fullmatch(r"keras_tensor(_\d+)?", name) else name for name in names]


def _output_names(model: Any) -> list[str]:
    names = getattr(model, "output_names", None)
    if names:
        return list(names)
    if isinstance(model, keras.Sequential):
        return [model.layers[-1].name]
    return []


def _has_rnn(model: Any) -> bool:
    return any(isinstance(layer, keras.layers.RNN) for _, layer in walk(model))
