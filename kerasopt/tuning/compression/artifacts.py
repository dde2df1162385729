"""What stays of a trial: its file, and the weights that were measured."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kerasopt._core.files import write_text
from kerasopt.callbacks import EarlyStopping, Pruning, WeightPenalty
from kerasopt.export import TFLiteModel

FILE = "model.tflite"
REPORT = "report.json"


def keep_file(exported: TFLiteModel, callbacks: Sequence[Any]) -> None:
    """Write the file and its report where a callback has a `trial_folder`; else nowhere."""
    folders = [getattr(one, "trial_folder", None) for one in callbacks]
    for folder in {Path(one) for one in folders if one is not None}:
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / REPORT, json.dumps(exported.report.to_dict(), indent=2))
        exported.save(folder / FILE)


def apart(callbacks: Sequence[Any]) -> tuple[list[Any], list[Any]]:
    """Part KerasTuner's own checkpoints of the best epoch from the other callbacks.

    Returns:
        The others, and those.
    """
    # KerasTuner has no public name for the class.
    savers = [
        one
        for one in callbacks
        if any(kind.__name__ == "SaveBestEpoch" for kind in type(one).__mro__)
    ]
    known = {id(one) for one in savers}
    return [one for one in callbacks if id(one) not in known], savers


def save_measured(savers: Sequence[Any], model: Any, metrics: dict[str, float]) -> None:
    """Let KerasTuner's checkpoints see one epoch: the weights that were measured and exported.

    During training they would keep an epoch in which the model may still have been dense. Of
    several executions of a trial they keep the best.
    """
    for saver in savers:
        objective = saver.objective
        # The sum that a plain KerasTuner makes of a list of objectives, and asks for.
        if objective.name not in metrics and objective.has_value(metrics):
            metrics[objective.name] = float(objective.get_value(metrics))
        saver.set_model(model)
        saver.on_epoch_end(0, metrics)


def tidy_up(callbacks: Sequence[Any]) -> None:
    """Undo, after a `fit` that was broken off, what its end would have undone."""
    for one in callbacks:
        if isinstance(one, EarlyStopping):
            one.restore()  # gives Ctrl-C back, too
        elif isinstance(one, (Pruning, WeightPenalty)):
            one.release()
