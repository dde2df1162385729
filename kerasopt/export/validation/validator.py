"""Is the file what the model is? Both run on the same data, and the numbers are compared."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np

from kerasopt._core import files
from kerasopt._core.quiet import held_back
from kerasopt.export.attribution.owners import Owners
from kerasopt.export.convert.diagnostics import useful
from kerasopt.export.data.samples import Batch, Samples, filled, length, spread
from kerasopt.export.errors import ExportError, NotRunError
from kerasopt.export.file.flatbuffer import Contents, Graph, TFLiteFile
from kerasopt.export.file.operations import operations
from kerasopt.export.model.signature import Signature
from kerasopt.export.options import CALIBRATED
from kerasopt.export.process.client import WORKER, CrashError, RefusedError, scratch
from kerasopt.export.runtime.interpreter import Runner
from kerasopt.export.validation.agreement import Agreement, compare, shortfall
from kerasopt.export.validation.calibration_ranges import limits

_BATCH = 16
# Some seconds for small networks, half a minute for those of 300 million a sample.
_REFERENCE_MACS = 2_000_000_000
_LEAST = 20
_WHOLE = ("INT8", "INT16", "INT4")


@contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """Put back whatever a call of `model` changes in its state (seeds, recurrent states)."""
    before = [(v, _value(v)) for v in model.non_trainable_variables]
    try:
        yield
    finally:
        for variable, value in before:
            if not np.array_equal(_value(variable), value):
                variable.assign(value)


def _value(variable: Any) -> np.ndarray:
    """Copy what a variable of Keras or TensorFlow holds."""
    return np.array(keras.ops.convert_to_tensor(variable).numpy())


def keras_outputs(model: Any, signature: Signature, samples: Samples) -> dict[str, np.ndarray]:
    """Run the Keras model on all samples.

    Args:
        model: A built Keras model.
        signature: Its signature.
        samples: The data.

    Returns:
        By output name, in the model's order, an array with the samples first.
    """
    # TensorFlow logs that functions inside the model were traced again: nothing for the user.
    with held_back(), unchanged(model):
        return _run(lambda batch: signature.call(model, batch), signature.batch, samples)


def verify(
    file: TFLiteFile,
    mode: str,
    signature: Signature,
    samples: Samples,
    expected: Mapping[str, np.ndarray],
    least_db: float | None = None,
) -> dict[str, Agreement]:
    """Run the file and compare it with what the Keras model gave.

    Args:
        file: The file.
        mode: Its mode, which sets how close it has to be.
        signature: The one it was converted with.
        samples: The data.
        expected: What `keras_outputs` gave for them.
        least_db: How close floats have to be. Defaults to `None`: as its mode sets it.

    Returns:
        By output name, in the model's order, an `Agreement`.

    Raises:
        ExportError: If the file does not load or run, or an output is too far off.
    """
    try:
        actual = file_outputs(file.content, signature, samples)
    except (RuntimeError, ValueError) as error:
        raise NotRunError(
            f"The {mode} file was converted but does not run, so it was not written: "
            f"{useful(str(error))}.",
            str(error),
        ) from error
    holds = limits(file.graphs[0])
    agreement = {
        name: compare(right, actual[name], holds.get(name)) for name, right in expected.items()
    }
    _refuse_too_far(mode, agreement, least_db)
    return agreement


def try_out(file: bytes, mode: str, batch: Batch, reference: bool = False) -> None:
    """Run a file where it can do no harm: LiteRT ends the process on some that are converted.

    Args:
        file: Its bytes.
        mode: Its mode.
        batch: One batch.
        reference: Whether by the reference kernels too. Defaults to `False`.

    Raises:
        ExportError: If it ends the process.
    """
    with scratch() as folder:
        (Path(folder) / "model.tflite").write_bytes(file)
        files.save(Path(folder) / "samples.npz", batch)
        try:
            for kernels in {False, reference}:
                WORKER.ask("run", Path(folder), reference=kernels)
        except RefusedError:  # said where it is run in earnest
            return
        except CrashError as error:
            last = next((f"It said last: {one[:200]}. " for one in reversed(error.said) if one), "")
            raise NotRunError(
                f"The {mode} file was converted but ends the process that runs it ({error}), so it "
                f"was not written. {last}".strip(),
                "\n".join(error.said),
            ) from error


def refuse_sparse(file: TFLiteFile, mode: str) -> None:
    """Refuse, without running it, a sparse file that LiteRT reads wrongly.

    LiteRT has kernels for sparse weights in float, and for int8 ones in blocks of 16 beside int8
    activations. Of others it loads the file all the same, and may read what is not its own.

    Args:
        file: The file.
        mode: Its mode.

    Raises:
        NotRunError: If there is a tensor of that kind.
    """
    for graph in file.graphs:
        for one in graph.tensors:
            if one.sparse and one.dtype == "INT8" and (mode != "int8" or one.block != 16):
                raise NotRunError(
                    f"LiteRT cannot read the sparse weights {one.name!r} of the {mode} file, so it "
                    "was not written.",
                    "",
                )


def file_outputs(
    file: bytes, signature: Signature, samples: Samples, reference: bool = False
) -> dict[str, np.ndarray]:
    """Run a file on all samples, as `keras_outputs` runs the model.

    Args:
        file: Its bytes.
        signature: The one it was converted with.
        samples: The data.
        reference: Whether by the reference kernels. Defaults to `False`.
    """
    return _run(Runner(file, reference=reference), signature.batch, samples)


def by_reference(
    file: TFLiteFile,
    signature: Signature,
    samples: Samples,
    expected: Mapping[str, np.ndarray],
) -> dict[str, Agreement]:
    """Run a file by LiteRT's reference kernels, and compare it with what the Keras model gave.

    They are slow: of a large model fewer samples are run, by its multiplications.

    Args:
        file: The file.
        signature: The one it was converted with.
        samples: The data.
        expected: What `keras_outputs` gave for them.

    Returns:
        As `verify`; empty if these kernels do not run the file.
    """
    cost = sum(one.macs for one in operations(file.graphs[0]))
    most = int(np.clip(_REFERENCE_MACS // max(cost, 1), _LEAST, len(samples)))
    rows = spread(len(samples), most)
    try:
        actual = file_outputs(file.content, signature, samples.thinned(most), reference=True)
    except (RuntimeError, ValueError):
        return {}
    holds = limits(file.graphs[0])
    found = {}
    for name, right in expected.items():
        mine = right[rows] if len(right) == len(samples) else right
        if mine.shape == actual[name].shape:
            found[name] = compare(mine, actual[name], holds.get(name))
    return found


def refuse_float(mode: str, found: Contents, kept: Sequence[str] = ()) -> None:
    """Refuse an int8 file in which nothing is int8: the converter makes one without a word.

    Args:
        mode: Its mode.
        found: What stands in it.
        kept: Layers that were to stay in float. Defaults to none.

    Raises:
        ExportError: If it is one.
    """
    if mode in CALIBRATED and found.ops and not found.quantized_ops:
        if kept:
            raise ExportError(
                f"With {', '.join(map(repr, kept))} in float nothing is left to quantize: exclude "
                "fewer layers, or use `mode='float32'`."
            )
        raise ExportError(
            f"The converter left the whole model in float, though {mode} was asked for: none of "
            f"its operations ({', '.join(sorted(found.ops))}) was quantized. Use `mode='float32'`."
        )


def refuse_quantized(
    graphs: Sequence[Graph], layers: Sequence[Owners], kept: Collection[str]
) -> None:
    """Refuse a file in which a layer is quantized that was to stay in float.

    Args:
        graphs: Of the file.
        layers: For each, and each of its operations, paths of layers.
        kept: Those that were to stay in float.

    Raises:
        ExportError: If one is not.
    """
    wrong: dict[str, None] = {}
    for graph, found in zip(graphs, layers, strict=True):
        for operator, paths in zip(graph.operators, found, strict=True):
            inputs = [graph.tensors[one] for one in operator.inputs if one >= 0]
            # The weights of a transposed convolution are int8 whatever was asked for.
            transposed = operator.name == "TRANSPOSE_CONV"
            read = [one for one in inputs if bool(one.stored) is not transposed]
            if any(len(one.shape) > 1 and one.dtype in _WHOLE for one in read):
                wrong.update(dict.fromkeys(path for path in paths if path in kept))
    if wrong:
        raise ExportError(
            f"TensorFlow quantized {', '.join(map(repr, wrong))} though it was to stay in float: "
            "it has no way to name such operations. Leave it out of `exclude`."
        )


def _refuse_too_far(mode: str, agreement: Mapping[str, Agreement], least_db: float | None) -> None:
    bad = {name: shortfall(mode, one, least_db) for name, one in agreement.items()}
    lines = [f"output {name!r}: {text}" for name, text in bad.items() if text]
    if lines:
        raise ExportError(
            f"The {mode} file does not do what the Keras model does, so it was not written: "
            f"{'; '.join(lines)}."
        )


def _run(
    call: Callable[[Batch], Mapping[str, Any]], fixed: int | None, samples: Samples
) -> dict[str, np.ndarray]:
    size = fixed or _BATCH
    parts: dict[str, list[np.ndarray]] = {}
    for batch in samples.in_batches(size):
        outputs = call(filled(batch, size) if fixed else batch)
        for name, value in outputs.items():
            parts.setdefault(name, []).append(np.asarray(value)[: length(batch)])
    return {name: _flat(arrays) for name, arrays in parts.items()}


def _flat(parts: list[np.ndarray]) -> np.ndarray:
    """Join batches; those of different shapes (an axis of any size) as one long list of rows."""
    if len({part.shape[1:] for part in parts}) == 1:
        return np.concatenate(parts)
    return np.concatenate([part.reshape(-1, part.shape[-1]) for part in parts])
