"""From a Keras model to the bytes of a TFLite file."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import keras
import numpy as np

from kerasopt._core.quiet import held_back
from kerasopt.export.attribution.scopes import named, origin_of
from kerasopt.export.convert.diagnostics import advice, advice_on_crash, advice_on_trace, useful
from kerasopt.export.data.samples import Samples, filled, length
from kerasopt.export.errors import ExportError
from kerasopt.export.model.signature import Signature
from kerasopt.export.options import CALIBRATED, MODES
from kerasopt.export.process.client import WORKER, CrashError, RefusedError, scratch
from kerasopt.selection import walk

_TABLES = (
    keras.layers.StringLookup,
    keras.layers.IntegerLookup,
    keras.layers.TextVectorization,
    keras.layers.Hashing,
    keras.layers.HashedCrossing,
)


def trace(model: Any, signature: Signature) -> Any:
    """Trace a model as a TensorFlow function with named inputs and outputs.

    Args:
        model: A built Keras model, or a `SavedModel`.
        signature: Its signature.

    Raises:
        ExportError: If TensorFlow cannot trace it.
    """
    import tensorflow as tf

    specs = [tf.TensorSpec(one.shape, one.dtype, name=one.name) for one in signature.inputs]
    names = [one.name for one in signature.inputs]
    function = tf.function(
        lambda *values: signature.call(model, dict(zip(names, values, strict=True))),
        autograph=False,
        input_signature=specs,
    )
    try:
        with held_back():
            return function.get_concrete_function()
    except Exception as error:
        raise ExportError(
            f"TensorFlow could not trace the model: {useful(str(error))}. "
            f"{advice_on_trace(str(error), signature.batch)}"
        ) from error


class Traced:
    """A model as one TensorFlow function with named inputs and outputs.

    Args:
        model: A built Keras model in float32.
        signature: Its signature.
        layers: By the path that the user knows, its layers. Defaults to `None`: none are known.

    Attributes:
        origin: Which layer an operation is of.

    Raises:
        ExportError: If TensorFlow cannot trace it.
    """

    def __init__(self, model: Any, signature: Signature, layers: Mapping[str, Any] | None = None):
        import tensorflow as tf

        with named(layers or {}) as known:
            self.function = trace(model, signature)
        outputs = self.function.structured_outputs
        self.origin = origin_of(self.function.graph, outputs, known)
        # The variables, not the model: TensorFlow sets attributes on a Keras model it tracks. And
        # not the function, which it would trace once more.
        self._module = tf.Module()
        self._module.kept = list(self.function.graph.variables)

    def loops(self) -> bool:
        """Tell whether the function has a loop whose length is not known when it is traced."""
        graph = self.function.graph.as_graph_def()
        nodes = [*graph.node, *(node for f in graph.library.function for node in f.node_def)]
        return any(node.op in ("While", "StatelessWhile") for node in nodes)

    def save(self, folder: str) -> None:
        """Save it as a SavedModel with one signature."""
        import tensorflow as tf

        tf.saved_model.save(self._module, folder, signatures={"serving_default": self.function})


def refuse_unfit(model: Any) -> None:
    """Refuse layers that TFLite cannot hold, by name, before anything is converted.

    Raises:
        ExportError: If there is one.
    """
    for path, layer in walk(model):
        if isinstance(layer, _TABLES):
            raise ExportError(
                f"Layer {path!r} ({type(layer).__name__}) looks up or hashes, which TFLite cannot: "
                "do it outside the model, and export the part behind it."
            )
        if getattr(layer, "stateful", False):
            raise ExportError(
                f"Layer {path!r} is stateful, and a TFLite file would keep its state from run to "
                "run with no way to compare or reset it. Build it with `stateful=False`."
            )


def refuse_loops(layers: Mapping[str, Any], traced: Traced) -> None:
    """Refuse a model with a loop: the calibrator of TensorFlow would end the process.

    Raises:
        ExportError: If there is one.
    """
    if not traced.loops():
        return
    names = [path for path, layer in layers.items() if isinstance(layer, keras.layers.RNN)]
    which = "The model loops"
    if names:
        several = len(names) > 1
        which = f"Layer{'s' * several} {', '.join(map(repr, names))} loop{'s' * (not several)}"
    raise ExportError(
        f"{which} over time, and TensorFlow crashes when it calibrates a loop. Build recurrent "
        "layers with `unroll=True`, or use `mode='float16'`, which takes them with `batch_size=1`."
    )


class Saved:
    """A traced model as a SavedModel, of which files of several modes are made.

    A context: the SavedModel lies in a temporary folder as long as it lasts.

    Args:
        traced: The model.
        signature: Its signature.
        calibration: Samples for int8 and int16x8. Defaults to `None`.
    """

    def __init__(self, traced: Traced, signature: Signature, calibration: Samples | None = None):
        self._batch = signature.batch or 1
        self._calibrated = calibration is not None
        self._float32: bytes | None = None
        self._scratch = scratch()
        self._folder = Path(self._scratch.name)
        try:
            with held_back():
                traced.save(str(self._folder / "saved"))
            if calibration is not None:
                store(calibration, self._folder / "samples.npz", self._batch)
        except BaseException:
            self._scratch.cleanup()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.cleanup()

    def convert(self, mode: str = "float32", io: str = "float32", sparse: bool = False) -> bytes:
        """Make a file, in a process of its own: some models and data end it.

        Args:
            mode: One of `MODES`. Defaults to `"float32"`.
            io: Type of an int8 file's inputs and outputs. Defaults to `"float32"`.
            sparse: Whether zeros are left out of the file. Defaults to `False`.

        Returns:
            The bytes of the file.

        Raises:
            ExportError: If the converter fails or crashes; the message has its useful line and what
                to do.
        """
        if MODES[mode].quantizer:
            return self.partly(mode, [])
        if mode == "float32" and not sparse:
            return self.float32()
        return self._ask("convert", mode=mode, io=io, sparse=sparse)

    def partly(
        self,
        mode: str,
        kept: Sequence[str] | None = None,
        io: str = "float32",
        kinds: Sequence[str] = (),
    ) -> bytes:
        """Make a file of which some operations stay in float; calibrated once for all.

        Args:
            mode: One of the modes that can exclude layers.
            kept: Names of the tensors that these operations give. Defaults to `None`: the float
                file from which the others are made.
            io: Type of the file's inputs and outputs. Defaults to `"float32"`.
            kinds: Operations that all stay in float, by their own name. Defaults to none.

        Returns:
            The bytes of the file.

        Raises:
            ExportError: As in `convert`.
        """
        task = "partly"
        if MODES[mode].quantizer:
            task = "weights"
            (self._folder / "float.tflite").write_bytes(self.float32())
        denied = None if kept is None else list(kept)
        return self._ask(task, mode=mode, io=io, denied=denied, kinds=list(kinds))

    def _ask(self, task: str, mode: str, **arguments: Any) -> bytes:
        if mode in CALIBRATED and not self._calibrated:
            raise AssertionError(f"{mode} without calibration is a float file")
        try:
            WORKER.ask(task, self._folder, batch=self._batch, mode=mode, **arguments)
        except RefusedError as error:
            text = "\n".join([str(error), *error.said])
            raise ExportError(
                f"TensorFlow's converter failed in mode {mode!r}: {useful(str(error))}. "
                f"{advice(text)}".strip()
            ) from error
        except CrashError as error:
            raise ExportError(
                f"TensorFlow's converter crashed in mode {mode!r} ({error}). "
                f"{_last(error.said)}{advice_on_crash(mode)}"
            ) from error
        return (self._folder / "model.tflite").read_bytes()

    def float32(self) -> bytes:
        """Make the float32 file, once."""
        if self._float32 is None:
            self._float32 = self._ask("convert", mode="float32", io="float32", sparse=False)
        return self._float32


def store(samples: Samples, path: Path, batch: int) -> None:
    """Write samples for the process that calibrates, in whole batches of one size."""
    arrays = {}
    for number, group in enumerate(samples.batches):
        whole = -(-length(group) // batch) * batch
        for name, array in filled(group, whole).items():
            arrays[f"{number}/{name}"] = array
    np.savez(path, allow_pickle=False, **arrays)


def _last(said: list[str]) -> str:
    lines = [line for line in said if "ERROR" in line or "Check failed" in line]
    return f"It said last: {lines[-1][:200].strip()}. " if lines else ""
