"""Stopping rules replayed over recorded learning curves."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kerasopt.stopping import (
    Extrapolation,
    GeneralizationGap,
    GeneralizationLoss,
    GradientDisparity,
    GradientEvidence,
    GradientMoments,
    LowProgress,
    Patience,
    ProgressQuotient,
    Rule,
    Slope,
    UpStrips,
)
from kerasopt.stopping.rules.gradient_rules import EPSILON

Curves = dict[str, list[float]]


@dataclass(frozen=True)
class Outcome:
    """Where a rule ended a run.

    Attributes:
        epochs: Epochs trained.
        restored: The epoch (from 0) whose weights the model is given.
        stopped: Whether the rule stopped it, before the end of the full run.
    """

    epochs: int
    restored: int
    stopped: bool


@dataclass(frozen=True)
class Variant:
    """A way to stop.

    Attributes:
        name: What it is called.
        family: What kind of rule it is, for the colour.
        make: Makes the rule or Keras's callback; `None` is the full run.
        monitor: The curve whose best epoch is restored; `None` restores nothing.
    """

    name: str
    family: str
    make: Callable[[], Any]
    monitor: str | None = "val_loss"


def metrics_at(curves: Curves, epoch: int) -> dict[str, Any]:
    """Give what a rule is given at the end of an epoch.

    Gradients were not kept, only the two figures that the rules make of them: here are gradients
    of which they make the same.
    """
    logs: dict[str, Any] = {
        name: curves[name][epoch] for name in ("loss", "error", "val_loss", "val_error")
    }
    value = curves["gradient_evidence"][epoch]
    if math.isfinite(value):
        mean = math.sqrt((1.0 - value) / 2)
        logs["sample_gradients"] = GradientMoments(np.array([mean]), np.array([1 - EPSILON]), 2)
    logs["batch_gradients"] = [[0.0], [curves["gradient_disparity"][epoch]]]
    return logs


class Epochs:
    """A model for Keras's callback whose weights are the number of the epoch."""

    stop_training = False
    weights: Any = None

    def get_weights(self) -> Any:
        """Give the number of the epoch."""
        return self.weights

    def set_weights(self, weights: Any) -> None:
        """Go back to another epoch."""
        self.weights = weights


def replay_keras(callback: keras.callbacks.EarlyStopping, curves: Curves) -> Outcome:
    """Drive Keras's own callback over the curves."""
    model = Epochs()
    callback.set_model(model)
    callback.on_train_begin()
    epoch, total = 0, len(curves["loss"])
    for epoch in range(total):
        model.weights = epoch
        logs = {name: curves[name][epoch] for name in ("loss", "val_loss")}
        callback.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callback.on_train_end()
    return Outcome(epoch + 1, model.weights, model.stop_training and epoch + 1 < total)


def replay_rule(rule: Rule | None, monitor: str | None, curves: Curves) -> Outcome:
    """Ask a rule at the end of each epoch, as `kerasopt.callbacks.EarlyStopping` does."""
    epoch, stop, total = 0, False, len(curves["loss"])
    for epoch in range(total):
        stop = rule is not None and rule.ask("epoch", epoch, metrics_at(curves, epoch)).stop
        if stop:
            break
    watched = [] if monitor is None else curves[monitor][: epoch + 1]
    restored = int(np.nanargmin(watched)) if watched else epoch
    return Outcome(epoch + 1, restored, stop and epoch + 1 < total)


def replay(variant: Variant, curves: Curves) -> Outcome:
    """Replay a variant over one run."""
    made = variant.make()
    if isinstance(made, keras.callbacks.EarlyStopping):
        return replay_keras(made, curves)
    return replay_rule(made, variant.monitor, curves)


def _keras(patience: int) -> Variant:
    name = f"Keras EarlyStopping(patience={patience}){RESTORING}"
    make = keras.callbacks.EarlyStopping
    return Variant(name, KERAS, lambda: make(patience=patience, restore_best_weights=True))


KERAS, PATIENCE, PRECHELT, CURVE = "Keras", "patience", "Prechelt's", "shape of the curve"
BOTH, METRIC, BLIND = "combination", "on the test's metric", "without validation set"
FULL = "full run"
METRIC_NAME = "val_error"
ON_METRIC, RESTORING = ", monitor: the metric", ", restoring"
DEFAULT = "Patience(0) or Patience(1)"

VARIANTS = [
    Variant("full run, best epoch", FULL, lambda: None),
    Variant("full run, best epoch of the metric", FULL, lambda: None, METRIC_NAME),
    Variant("full run, last epoch", FULL, lambda: None, None),
    Variant("Keras EarlyStopping()", KERAS, keras.callbacks.EarlyStopping, None),
    *(_keras(patience) for patience in (3, 5, 10)),
    Variant(DEFAULT, PATIENCE, Patience),
    Variant("Patience(3)", PATIENCE, lambda: Patience(3)),
    Variant("Patience(5)", PATIENCE, lambda: Patience(5)),
    Variant("Patience(10)", PATIENCE, lambda: Patience(10)),
    Variant("Patience(20)", PATIENCE, lambda: Patience(20)),
    Variant(
        "Patience(5, min_delta=0.01, relative=True)",
        PATIENCE,
        lambda: Patience(5, min_delta=0.01, relative=True),
    ),
    Variant("Patience(5, smoothing=0.5)", PATIENCE, lambda: Patience(5, smoothing=0.5)),
    Variant("GeneralizationLoss(1)", PRECHELT, lambda: GeneralizationLoss(1)),
    Variant("GeneralizationLoss(2)", PRECHELT, lambda: GeneralizationLoss(2)),
    Variant("GeneralizationLoss(5)", PRECHELT, lambda: GeneralizationLoss(5)),
    Variant("ProgressQuotient(0.5)", PRECHELT, lambda: ProgressQuotient(0.5)),
    Variant("ProgressQuotient(1)", PRECHELT, lambda: ProgressQuotient(1)),
    Variant("ProgressQuotient(2)", PRECHELT, lambda: ProgressQuotient(2)),
    Variant("UpStrips(2)", PRECHELT, lambda: UpStrips(2)),
    Variant("UpStrips(3)", PRECHELT, lambda: UpStrips(3)),
    Variant("UpStrips(3, strip=1)", PRECHELT, lambda: UpStrips(3, strip=1)),
    Variant("Slope(10)", CURVE, lambda: Slope(10)),
    Variant("GeneralizationGap(factor=1.5)", CURVE, lambda: GeneralizationGap(factor=1.5)),
    Variant("Extrapolation()", CURVE, Extrapolation),
    Variant("LowProgress()", BLIND, LowProgress, None),
    Variant("GradientEvidence()", BLIND, GradientEvidence, None),
    Variant("GradientDisparity(5)", BLIND, lambda: GradientDisparity(5), None),
    Variant("Patience(5) | UpStrips(2)", BOTH, lambda: Patience(5) | UpStrips(2)),
    Variant("Patience(10) | UpStrips(2)", BOTH, lambda: Patience(10) | UpStrips(2)),
    Variant(
        "Patience(10) | GeneralizationLoss(5)", BOTH, lambda: Patience(10) | GeneralizationLoss(5)
    ),
    Variant(
        "Patience(5) & GeneralizationLoss(5)", BOTH, lambda: Patience(5) & GeneralizationLoss(5)
    ),
    Variant(
        "GeneralizationLoss(5) & UpStrips(2)", BOTH, lambda: GeneralizationLoss(5) & UpStrips(2)
    ),
    *(
        Variant(f"{name}{ON_METRIC}", METRIC, make, METRIC_NAME)
        for name, make in {
            "Patience(5)": lambda: Patience(5, monitor=METRIC_NAME),
            "Patience(10)": lambda: Patience(10, monitor=METRIC_NAME),
            "GeneralizationLoss(5)": lambda: GeneralizationLoss(5, monitor=METRIC_NAME),
            "UpStrips(2)": lambda: UpStrips(2, monitor=METRIC_NAME),
        }.items()
    ),
]
