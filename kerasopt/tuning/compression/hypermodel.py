"""A hypermodel that trains, compresses, exports and measures another one's models."""

from collections.abc import Mapping
from typing import Any

import keras_tuner

from kerasopt._core.checks import bad_value
from kerasopt.export import to_tflite
from kerasopt.export.data.calibration_data import with_labels
from kerasopt.export.options import CALIBRATED
from kerasopt.regularization import add_penalty, insert_dropout
from kerasopt.tuning import space
from kerasopt.tuning.compression import search_parts
from kerasopt.tuning.compression.artifacts import apart, keep_file, save_measured, tidy_up
from kerasopt.tuning.compression.search_parts import part
from kerasopt.tuning.compression.trial_metrics import (
    has_classes,
    of_file,
    of_training,
    refuse_non_finite,
)
from kerasopt.tuning.compression.validation_data import Given, reads_once


class CompressedHyperModel(keras_tuner.HyperModel):
    """Search over a model and its compression at once: every trial is exported and measured.

    `build` makes the user's model, and puts dropout and a weight penalty into it. `fit` trains it
    with pruning and stopping, evaluates it as training left it, exports it by
    `kerasopt.export.to_tflite` and gives, of these very weights and that very file:

    | metric | |
    |---|---|
    | `loss`, `accuracy`, ... | of training, in the epoch whose weights the model has |
    | `val_loss`, `val_accuracy`, ... | of the Keras model, evaluated after training |
    | `tflite_accuracy` | of the file, if the validation data are arrays with class labels |
    | `tflite_bytes`, `tflite_zipped_bytes` | size of the file, and as an app package stores it |
    | `tflite_latency_ms` | median of one run, one thread |
    | `tflite_slower` | 1 if a float32 file is faster, beyond the spread of the times; else 0 |
    | `tflite_peak_memory` | bytes of activations at their most |
    | `sparsity` | share of zeros among the file's weights |

    A model that cannot be exported, or whose file does not do what the model does, fails its trial
    with an `ExportError` that says why. Where a callback has a `trial_folder`, `model.tflite` and
    `report.json` are kept there. KerasTuner's checkpoint holds the weights that were measured.
    Penalties are part of `loss` and `val_loss`, so let the search go by a metric without them.
    Pruning makes `tflite_zipped_bytes` smaller; `tflite_bytes` only with `export={"sparse": True}`
    and a mode that bears it.

    Each of the five parts is `True` (the space of `kerasopt.tuning.space`), `False` (not searched),
    a dict of arguments of that space, or a function `hp -> what the space gives`.

    Args:
        build: Function `hp -> compiled model`, or a `keras_tuner.HyperModel`, whose `fit` is used
            and has to give a `History` or a dict of metrics.
        regularization: Weight penalties. Defaults to `True`.
        dropout: Dropout. Defaults to `True`.
        pruning: Pruning. Defaults to `True`.
        stopping: Early stopping. Defaults to `False`.
        quantization: Precisions; also one mode, or a list of modes. `False` is `"float32"`.
            Defaults to `True`.
        calibration: Data for `"int8"` and `"int16x8"`, as in `to_tflite`. Defaults to `None`: up to
            256 samples of the training data.
        validation_data: Data to compare file and model on, as in `to_tflite`. Defaults to `None`:
            those of `fit`.
        export: Dict of further arguments of `to_tflite`, such as `{"least_db": 20.0}`. Defaults
            to `None`.
        name: Name of the hypermodel. Defaults to `None`.
        tunable: Whether its hyperparameters join the search. Defaults to `True`.

    Raises:
        TypeError: If an argument is of the wrong type.
        ValueError: If an argument has a wrong value, or `export` does not go with a mode.

    Example:
    >>> import keras, keras_tuner
    >>> def build(hp):
    ...     units, layers = hp.Int("units", 4, 64), keras.layers
    ...     model = keras.Sequential([keras.Input((8,)), layers.Dense(units, name="hidden"),
    ...                               layers.Dense(3, activation="softmax", name="top")])
    ...     model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    ...     return model
    >>> hypermodel = CompressedHyperModel(
    ...     build, dropout={"rate": 0.2}, pruning={"max_sparsity": 0.8}, quantization="int8")
    >>> hp = keras_tuner.HyperParameters()
    >>> [layer.name for layer in hypermodel.build(hp).layers]
    ['hidden', 'hidden_dropout', 'top']
    >>> hp.values["units"], hp.values["dropout/rate"], hp.values["quantization/mode"]
    (4, 0.2, 'int8')
    """

    def __init__(
        self,
        build: Any,
        regularization: Any = True,
        dropout: Any = True,
        pruning: Any = True,
        stopping: Any = False,
        quantization: Any = True,
        calibration: Any = None,
        validation_data: Any = None,
        export: Mapping[str, Any] | None = None,
        name: str | None = None,
        tunable: bool = True,
    ):
        super().__init__(name=name, tunable=tunable)
        self.inner = search_parts.checked_build(build)
        none = search_parts.nothing, search_parts.no_callbacks
        self.regularization = part("regularization", regularization, space.regularization, none[0])
        self.dropout = part("dropout", dropout, space.dropout, none[0])
        self.pruning = part("pruning", pruning, space.pruning, none[1])
        self.stopping = part("stopping", stopping, space.stopping, none[1])
        self.export = search_parts.checked_export(export)
        self.quantization = search_parts.quantizing(quantization, self.export)
        with_labels(validation_data)
        self.calibration = calibration
        self.validation_data = validation_data

    def declare_hyperparameters(self, hp: Any) -> None:
        """Declare what the inner hypermodel declares."""
        if isinstance(self.inner, keras_tuner.HyperModel):
            self.inner.declare_hyperparameters(hp)

    def build(self, hp: Any) -> Any:
        """Build the inner model, with dropout and a penalty put into it.

        Args:
            hp: The hyperparameters. Those of pruning, stopping and quantization are registered too.

        Returns:
            The model, compiled if the inner one is.

        Raises:
            TypeError, ValueError: If dropout or penalty do not go into such a model.
        """
        inner: Any = self.inner
        model = inner.build(hp) if isinstance(inner, keras_tuner.HyperModel) else inner(hp)
        penalty, dropout = self.regularization(hp), self.dropout(hp)
        for later in (self.pruning, self.stopping, self.quantization):
            later(hp)
        if dropout:
            model = insert_dropout(model, **dropout)
        if penalty is not None:
            add_penalty(model, penalty)
        return model

    def fit(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Train a model, export it, and measure both.

        Args:
            hp: The hyperparameters that it was built with.
            model: The model.
            *args: Arguments of `keras.Model.fit`.
            **kwargs: Likewise. Validation data are arrays, batches, or a `validation_split`.

        Returns:
            Metric -> value, as the class says.

        Raises:
            ExportError: If the file cannot be made, or does not do what the model does.
            keras_tuner.errors.FailedTrialError: If the loss is NaN or infinite.
            ValueError: Before training, if there are no calibration data for the mode.
        """
        hp = hp if self.tunable else hp.copy()
        wish = {**self.export, **self.quantization(hp)}
        given = Given.of(args, kwargs)
        calibration = given.calibration if self.calibration is None else self.calibration
        if wish["mode"] in CALIBRATED and calibration is None:
            raise bad_value(
                "calibration",
                f"data for mode {wish['mode']!r}, as the training data can be read only once",
                None,
            )
        mine, savers = apart(search_parts.listed(kwargs.pop("callbacks", None)))
        # Pruning last: its end puts the masks on whatever weights another callback restored.
        callbacks = [*mine, *self.stopping(hp), *self.pruning(hp)]
        try:
            result = self._train(hp, model, *args, callbacks=callbacks, **kwargs)
        except BaseException:
            tidy_up(callbacks)
            raise
        metrics = {**of_training(result, callbacks), **given.evaluate(model)}
        refuse_non_finite(metrics)
        held = self.validation_data
        if held is None and not reads_once(given.x):
            held = (given.x, given.y) if has_classes(model, given) else given.x
        exported = to_tflite(model, calibration=calibration, validation_data=held, **wish)
        metrics.update(of_file(exported.report))
        save_measured(savers, model, metrics)
        keep_file(exported, mine)
        return metrics

    def _train(self, hp: Any, model: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(self.inner, keras_tuner.HyperModel):
            return self.inner.fit(hp, model, *args, **kwargs)
        return model.fit(*args, **kwargs)
