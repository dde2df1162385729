"""A SavedModel in place of a Keras model: the same pipeline converts and verifies it."""

import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kerasopt._core.checks import bad_value, warn
from kerasopt._core.quiet import held_back
from kerasopt.export.errors import ExportError
from kerasopt.export.model.signature import Input, Signature
from kerasopt.models import load_model
from kerasopt.selection import walk

FILE = "saved_model.pb"
"""What a folder has that is a SavedModel."""

NO_LAYERS = "A SavedModel does not know its layers: give the Keras model that it was made from."
"""Why some things cannot be done with one."""

_DEFAULT = "serving_default"
_EXPECTED = "a folder with a SavedModel that has a signature"
_UNFIT = re.compile(r"Lookup|HashTable|String|Regex|PyFunc|File")
_HALVES = ("float16", "bfloat16")


@dataclass(frozen=True)
class ServingSignature(Signature):
    """The signature of a SavedModel, which has names of its own for everything."""

    def call(self, model: Any, values: Mapping[str, Any]) -> dict[str, Any]:
        """Call it."""
        found = model(values)
        return {name: found[name] for name in self.output_names}


class SavedModel:
    """What `tf.saved_model.save` or `model.export` wrote, with as much of a model's face as needed.

    Its signature `serving_default`, or the only one, is what is exported. Loading it in this
    process runs TensorFlow's operations, as calling it does, and no Python.

    Args:
        path: Of the folder.
        argument: Name of the user's argument, for errors. Defaults to `"model"`.

    Raises:
        ValueError: If it does not load, or has no such signature, or an input of no known shape.

    Example:
    >>> import tempfile, keras
    >>> folder = tempfile.mkdtemp()
    >>> model = keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(3)])
    >>> model.export(folder, verbose=False)
    >>> [(one.name, one.shape) for one in SavedModel(folder).signature().inputs]
    [('x', (None, 4))]
    """

    def __init__(self, path: str | Path, argument: str = "model"):
        import tensorflow as tf

        self._path, self._argument = str(path), argument
        try:
            with held_back():
                # Kept, as the variables live as long as it does.
                self._loaded = tf.saved_model.load(self._path)
            signatures = dict(self._loaded.signatures)
        except Exception as error:
            said = " ".join(str(error).split())[:300]
            raise self._wrong(f"TensorFlow cannot load it: {said}") from error
        if _DEFAULT not in signatures and len(signatures) != 1:
            raise self._wrong(
                f"It has {f'the signatures {sorted(signatures)}' if signatures else 'none'}: save "
                f"it with `tf.saved_model.save(..., signatures={{{_DEFAULT!r}: function}})`, or by "
                "`model.export`."
            )
        self._function = signatures.get(_DEFAULT) or next(iter(signatures.values()))
        self.non_trainable_variables = list(self._function.variables)
        self._check()

    def __call__(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Call the signature.

        Args:
            values: By input name, a tensor or array with the batch axis first.

        Returns:
            Dict of output name -> tensor.
        """
        import tensorflow as tf

        specs = self._specs()
        given = {name: tf.convert_to_tensor(values[name], specs[name].dtype) for name in specs}
        found: dict[str, Any] = self._function(**given)
        return found

    def __repr__(self) -> str:
        return f"<SavedModel {self._path}>"

    def signature(self, batch_size: int | None = None) -> Signature:
        """Give its signature, inputs and outputs sorted by name.

        Their order is not kept in the folder, and is another whenever it is loaded. Numbers in
        names count as such: `model.export` calls outputs `output_0` to `output_10`, in order.

        Args:
            batch_size: Fixes the batch axis. Defaults to `None`: as it has it.
        """
        inputs = []
        for name, spec in sorted(self._specs().items(), key=lambda one: _in_order(one[0])):
            batch, *rest = spec.shape.as_list()
            shape = (batch_size or batch, *rest)
            inputs.append(Input(name, name, shape, spec.dtype.name, ordered=False))
        names = tuple(sorted(self._function.structured_outputs, key=_in_order))
        return ServingSignature(tuple(inputs), {one.name: i for i, one in enumerate(inputs)}, names)

    def refuse_unfit(self) -> None:
        """Refuse operations that TFLite cannot hold, before any of them runs.

        Raises:
            ExportError: If there is one.
        """
        halves = _types(_HALVES)
        for node in self._nodes():
            if _UNFIT.search(node.op):
                raise ExportError(
                    f"The SavedModel has the operation {node.op} ({node.name!r}), which looks up, "
                    "reads or works on text, and TFLite cannot: do it outside the model, and "
                    "export the part behind it."
                )
            if node.op.startswith("Assign") and node.op.endswith("VariableOp"):
                raise ExportError(
                    f"The SavedModel has the operation {node.op} ({node.name!r}): it keeps state, "
                    "and a TFLite file would do so from run to run with no way to compare or "
                    "reset it. Save it without that."
                )
            if node.op == "Cast" and node.attr["DstT"].type in halves:
                raise ExportError(
                    f"The SavedModel computes in half floats ({node.name!r}), which TFLite cannot, "
                    "and of a SavedModel no float32 copy can be made: give the Keras model, or "
                    "save it again in float32."
                )

    def _nodes(self) -> Iterator[Any]:
        graph = self._function.graph.as_graph_def()
        yield from graph.node
        for function in graph.library.function:
            yield from function.node_def

    def _specs(self) -> dict[str, Any]:
        specs: dict[str, Any] = self._function.structured_input_signature[1]
        return specs

    def _check(self) -> None:
        if not self._specs():
            raise self._wrong("Its signature has no inputs.")
        for name, spec in self._specs().items():
            if spec.dtype.name == "string":
                raise self._wrong(f"Its input {name!r} is text: turn it into numbers before.")
            if not spec.shape.rank:
                raise self._wrong(f"Its input {name!r} has no batch axis, or no known shape.")
        for variable in self.non_trainable_variables:
            values = np.asarray(variable)
            if values.dtype.kind == "f" and not np.isfinite(values).all():
                raise self._wrong(f"Its weights {variable.name!r} have NaN or infinity.")

    def _wrong(self, advice: str) -> ValueError:
        return bad_value(self._argument, _EXPECTED, self._path, advice)


def inner_layers(model: Any) -> dict[str, Any]:
    """Give the layers of a Keras model by path, as `walk` does; a SavedModel has none.

    Args:
        model: A Keras model or a `SavedModel`.
    """
    return {} if isinstance(model, SavedModel) else dict(walk(model))


def _in_order(name: str) -> list[tuple[int, str]]:
    """Give by what names are sorted, `output_2` before `output_10`."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name)]


def _types(names: tuple[str, ...]) -> set[int]:
    import tensorflow as tf

    return {tf.as_dtype(name).as_datatype_enum for name in names}


_FORMS = "a path of a `.keras` or `.h5` file, or of a folder with a SavedModel"


def load(path: str | os.PathLike[str], argument: str = "model", compiled: bool = False) -> Any:
    """Load a model for export, in safe mode.

    Args:
        path: Of a `.keras` file, an `.h5` file of Keras 2 or 3, or the folder of a SavedModel.
        argument: Name of the user's argument, for errors.
        compiled: Whether it is compiled, if that can be done from what is in the file. Defaults to
            `False`.

    Raises:
        ValueError: If there is no such file, or it is something else.
    """
    found = Path(path)
    if (found / FILE).is_file():
        return SavedModel(found, argument)
    if found.is_dir():
        raise bad_value(argument, _FORMS, str(path), f"It is a folder without {FILE!r}.")
    if not found.is_file():
        raise bad_value(argument, _FORMS, str(path), "There is no such file.")
    legacy = found.suffix in (".h5", ".hdf5")
    if not legacy and not zipfile.is_zipfile(found):
        raise bad_value(argument, _FORMS, str(path), "It is something else.")
    if compiled:
        try:
            return load_model(found)
        except Exception as error:  # a loss of the user's own, or no model at all
            said = " ".join(str(error).split())[:200]
            warn(f"{found.name} is loaded without being compiled: {said}")
    try:
        return load_model(found, compile=False)
    except Exception as error:
        said = " ".join(str(error).split())[:300]
        raise bad_value(argument, _FORMS, str(path), f"Keras cannot load it: {said}") from error
