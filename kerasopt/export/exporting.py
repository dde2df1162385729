"""From a Keras model to a TFLite file that was run and compared before it was written."""

import os
import time
from collections.abc import Mapping
from typing import Any

from kerasopt._checks import at_least, bad_value, warn_each
from kerasopt._files import write_bytes
from kerasopt._keras import require_tensorflow
from kerasopt.export.building import make
from kerasopt.export.choosing import check_exclude
from kerasopt.export.judging import Judged
from kerasopt.export.loading import load
from kerasopt.export.metadata import check_labels, check_metadata
from kerasopt.export.preparing import prepare
from kerasopt.export.saved_model import NO_LAYERS, SavedModel
from kerasopt.export.tflite_model import TFLiteModel, check_path
from kerasopt.export.wish import Wish


def to_tflite(
    model: Any,
    path: str | os.PathLike[str] | None = None,
    mode: str = "float32",
    calibration: Any = None,
    io: str = "float32",
    batch_size: int | None = None,
    check: Any = None,
    labels: Any = None,
    metadata: Mapping[str, Any] | None = None,
    exclude: Any = None,
    max_accuracy_drop: float = 0.005,
    sparse: bool = False,
    least_db: float | None = None,
    least_variance: float | None = None,
) -> TFLiteModel:
    """Convert a Keras model to TFLite, and make sure that the file does what the model does.

    The file is loaded and run with LiteRT and its outputs are compared with the model's before
    anything is written; its size and latency are measured. The model is left as it is. Inputs and
    outputs keep the model's own names. A model in mixed precision is exported as a float32 copy.

    Args:
        model: A built Keras model: Sequential, functional or a class of its own; or the path of a
            `.keras` or `.h5` file (also of Keras 2), which is loaded in safe mode, or of a folder
            with a SavedModel, of which `serving_default` or the only signature is exported.
        path: Where to write the file, ending in `.tflite`. Defaults to `None`: not written.
        mode: `"float32"`; `"float16"`, half the size; `"dynamic"`, int8 weights; `"int8"`, int8
            weights and activations; `"int16x8"`, int8 weights and int16 activations, closer but
            slow. With the extra `int4` also `"dynamic_no_depthwise"`, dynamic but for depthwise
            convolutions, which are slow so; `"weight_only"`, int8 weights and all arithmetic in
            float; `"int4"`, the same with weights of four bits. Defaults to `"float32"`.
        calibration: What the model will see, for `"int8"` and `"int16x8"` at least 100 samples: an
            array, a list (in the order of `model.inputs`), a dict by input name, or batches of
            these as a `tf.data.Dataset`, a `keras.utils.PyDataset`, an iterable or a function that
            gives one.
            Labels are dropped. At most 256 samples are used: of arrays evenly spread, of batches
            the first. In other modes it is only used to check the file. Defaults to `None`.
        io: Type of the inputs and outputs of an int8 file: `"float32"`, `"int8"` or `"uint8"`.
            Defaults to `"float32"`.
        batch_size: Fixes the batch axis of the file. Defaults to `None`: as in the model, usually
            any; where recurrent layers loop, because they cannot be unrolled, 1.
        check: Data to compare the file with the model on, in the same forms. Defaults to `None`:
            up to 100 samples of `calibration`, or else random numbers in [0, 1).
        labels: Labels of all the samples of `check` (arrays, then), to tell the file's accuracy and
            the model's, or of numbers the mean absolute error and R2, and to judge the file by
            these and by the metrics that the model was compiled with. An array, or for several
            outputs a dict by output name. Defaults to `None`.
        metadata: What the file says about itself, a dict of string -> JSON data, such as
            `{"version": "1.2", "labels": ["cat", "dog"]}`; `inspect` gives it back. `"labels"` name
            the numbers of the output. Defaults to `None`.
        exclude: Layers that stay in float, in mode `"int8"` and those of the extra `int4`: names or
            paths (shell wildcards allowed), regular expressions, classes, layers, functions, or a
            list of these; an operation of several fused layers stays in float with any of them. Or
            `"auto"`: those with the fewest weights that keep the accuracy, or a few more if the
            file is clearly faster then and at most 5 % larger. Outputs without classes are judged
            by the variance that they keep. Defaults to `None`.
        max_accuracy_drop: With `exclude="auto"`, how much accuracy on `check` and `labels` may be
            lost, as a fraction; without labels, for how many samples the largest output may be
            another. Defaults to `0.005`.
        sparse: Whether the zeros of a pruned model are left out of the file, if that file does what
            the model does. Defaults to `False`.
        least_db: Lowest signal-to-noise ratio, in dB, at which a file is believed. Defaults to
            `None`: 80 for float32, 25 for float16, 6 for int4, 8 for the others, which tell a wrong
            file from a coarse one. One below these also turns the refusal by `least_variance` into
            a warning.
        least_variance: Lowest share of its variance, about the mean, that each entry of an output's
            last axis has to keep; of more than 16 entries three quarters of them. 0 takes all that
            is better than a constant, also by `labels`, `-float("inf")` everything. Defaults to
            `None`: 0.5. Below 0.9 is a warning.

    Returns:
        A `TFLiteModel` with `bytes`, `report`, `save`, `predict`, `evaluate` and `benchmark`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has a wrong value; nothing was converted.
        ExportError: If the model cannot be converted, or the file does not run, is too far off or
            of no use; nothing was written.
        RuntimeError: If Keras does not run on TensorFlow.

    Example:
    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> exported = to_tflite(model)
    >>> exported.report.sqnr_db > 80
    True
    >>> exported.predict(np.zeros((2, 4))).shape
    (2, 3)
    """
    begun = time.perf_counter()
    require_tensorflow("kerasopt.export.to_tflite")
    said = None if metadata is None else check_metadata(metadata)
    wish = Wish(mode, io, exclude, max_accuracy_drop, sparse, least_db, said, least_variance)
    target = None if path is None else check_path(path)
    if batch_size is not None:
        at_least("batch_size", batch_size, 1)
    if labels is not None and check is None:
        raise bad_value("labels", "`None` without `check`, whose labels they are", labels)
    if isinstance(model, (str, os.PathLike)):
        model = load(model)
    if exclude is not None and isinstance(model, SavedModel):
        raise bad_value("exclude", "`None` for a SavedModel", exclude, NO_LAYERS)
    prepared = prepare(model, [mode], calibration, check, batch_size)
    if said is not None and "labels" in said:
        shapes = {name: array.shape for name, array in prepared.expected.items()}
        check_labels("metadata['labels']", said["labels"], shapes)
    judged = None if labels is None else Judged(prepared, check, labels)
    check_exclude(prepared, wish)
    with prepared.saved() as saved:
        exported = make(prepared, saved, wish, begun, judged)
    warn_each(exported.report.warnings)
    if target is not None:
        write_bytes(target, exported.bytes)
    return exported
