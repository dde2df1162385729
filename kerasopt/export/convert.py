"""From a Keras model to the bytes of a TFLite file."""

import tempfile
import warnings
from typing import Any

import keras

from kerasopt._quiet import held_back
from kerasopt.export.complaints import advice, useful
from kerasopt.export.errors import ExportError
from kerasopt.export.samples import Samples
from kerasopt.export.signature import Signature
from kerasopt.selection import walk

_TABLES = (
    keras.layers.StringLookup,
    keras.layers.IntegerLookup,
    keras.layers.TextVectorization,
    keras.layers.Hashing,
    keras.layers.HashedCrossing,
)


class Traced:
    """A model as one TensorFlow function with named inputs and outputs.

    Args:
        model: A built Keras model in float32.
        signature: Its signature.

    Raises:
        ExportError: If TensorFlow cannot trace it.
    """

    def __init__(self, model: Any, signature: Signature):
        import tensorflow as tf

        specs = [tf.TensorSpec(one.shape, one.dtype, name=one.name) for one in signature.inputs]
        names = [one.name for one in signature.inputs]
        serve = tf.function(
            lambda *values: signature.call(model, dict(zip(names, values, strict=True))),
            autograph=False,
            input_signature=specs,
        )
        try:
            with held_back():
                self.function = serve.get_concrete_function()
        except Exception as error:
            raise ExportError(
                f"TensorFlow could not trace the model: {useful(str(error))}. The model must take "
                "its inputs as one argument and work on a batch of "
                f"{signature.batch or 'any'} samples."
            ) from error
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


def refuse_int8_loops(model: Any, traced: Traced) -> None:
    """Refuse a model with a loop: the calibrator of TensorFlow would end the process.

    Raises:
        ExportError: If there is one.
    """
    if not traced.loops():
        return
    names = [path for path, layer in walk(model) if isinstance(layer, keras.layers.RNN)]
    which = f"Layers {', '.join(map(repr, names))} loop" if names else "The model loops"
    raise ExportError(
        f"{which} over time, and TensorFlow crashes when it calibrates a loop. Build recurrent "
        "layers with `unroll=True`, or use `mode='float16'`, which takes them with `batch_size=1`."
    )


def convert(
    traced: Traced,
    signature: Signature,
    mode: str = "float32",
    calibration: Samples | None = None,
    io: str = "float32",
) -> bytes:
    """Convert a traced model.

    Args:
        traced: The model.
        signature: Its signature.
        mode: `"float32"`, `"float16"`, `"dynamic"` or `"int8"`. Defaults to `"float32"`.
        calibration: Samples for int8. Defaults to `None`.
        io: Type of an int8 file's inputs and outputs. Defaults to `"float32"`.

    Returns:
        The bytes of the file.

    Raises:
        ExportError: If the converter fails; the message has its useful line and what to do.
    """
    import tensorflow as tf

    with tempfile.TemporaryDirectory(prefix="kerasopt-") as folder:
        said: list[str] = []
        try:
            with held_back() as said, warnings.catch_warnings():
                warnings.simplefilter("ignore")
                traced.save(folder)
                converter = tf.lite.TFLiteConverter.from_saved_model(folder)
                if mode != "float32":
                    converter.optimizations = [tf.lite.Optimize.DEFAULT]
                if mode == "float16":
                    converter.target_spec.supported_types = [tf.float16]
                if mode == "int8":
                    if calibration is None:
                        raise AssertionError("int8 without calibration is a float file")
                    batch = signature.batch or 1
                    # By name: given as lists, two inputs are silently swapped.
                    converter.representative_dataset = lambda: calibration.in_batches(batch, True)
                    converter.target_spec.supported_ops = [
                        tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
                        tf.lite.OpsSet.TFLITE_BUILTINS,
                    ]
                    converter.inference_input_type = getattr(tf, io)
                    converter.inference_output_type = getattr(tf, io)
                return bytes(converter.convert())
        except Exception as error:
            text = "\n".join([str(error), *said])
            raise ExportError(
                f"TensorFlow's converter failed in mode {mode!r}: {useful(str(error))}. "
                f"{advice(text)}".strip()
            ) from error
