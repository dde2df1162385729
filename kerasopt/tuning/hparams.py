"""Hyperparameters and metrics of a trial, for TensorBoard's HParams page."""

import os
from pathlib import Path
from typing import Any

from kerasopt.tuning.extra import missing


def write(log_dir: str | os.PathLike[str], trial: Any) -> None:
    """Write one trial into a folder of its own.

    Args:
        log_dir: The folder that TensorBoard is given.
        trial: A trial of KerasTuner that has ended.
    """
    import tensorflow as tf

    try:
        from tensorboard.plugins.hparams import api
    except ImportError as error:
        raise missing(error) from error
    folder = Path(log_dir) / f"trial_{trial.trial_id}"
    with tf.summary.create_file_writer(str(folder)).as_default():
        api.hparams(dict(trial.hyperparameters.values), trial_id=trial.trial_id)
        for name in trial.metrics.metrics:
            tf.summary.scalar(name, trial.metrics.get_best_value(name), step=0)
