"""A real search: small convolutional networks on small images. Runs in a process of its own."""

import math
import os
import time
from pathlib import Path
from typing import Any

EPOCHS = 9
TRAIN, VALIDATION, BATCH = 1000, 1000, 64
FASHION, DIGITS = "Fashion-MNIST", "digits of scikit-learn"


def where(data: Path) -> str | None:
    """Give the folder in which Keras finds Fashion-MNIST without a network, or `None`."""
    home = Path(os.environ.get("KERAS_HOME", data / "keras_home")).resolve()
    found = list((home / "datasets").glob("fashion-mnist/train-images*"))
    return str(home) if found else None


def images(home: str | None, train: int, validation: int) -> tuple[Any, ...]:
    """Give images for training and validation, 0 to 1, and their classes.

    Fashion-MNIST at every other pixel, 14 x 14; without it the digits, 8 x 8.
    """
    import numpy as np

    if home is not None:
        os.environ["KERAS_HOME"] = home  # read when Keras is imported
        import keras

        (x, y), _ = keras.datasets.fashion_mnist.load_data()
        x = x[:, ::2, ::2] / 255.0
    else:
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        x = x.reshape(-1, 8, 8) / 16.0
        train, validation = min(train, 900), min(validation, 897)
    order = np.random.default_rng(0).permutation(len(x))[: train + validation]
    x, y = x[order].astype("float32"), y[order].astype("int64")
    return x[:train], y[:train], x[train:], y[train:]


def hypermodel(shape: tuple[int, ...]) -> Any:
    """Give the search space: `HyperCNN`, kept so small that a trial takes a second or two."""
    from kerasopt.tuning import HyperCNN

    return HyperCNN(shape, 10, max_blocks=2, max_filters=16, max_units=64)


def real(
    sampler: str,
    pruner: str | None,
    seed: int,
    trials: int,
    home: str | None,
    most_epochs: int | None = None,
    target: float | None = None,
    epochs: int = EPOCHS,
    train: int = TRAIN,
    validation: int = VALIDATION,
) -> dict[str, Any]:
    """Search, and give what each trial measured.

    Args:
        sampler: As in `Tuner`.
        pruner: As in `Tuner`.
        seed: Of the sampler and of all trials.
        trials: Most trials.
        home: Of `images`.
        most_epochs: Epochs of all trials together after which no trial is begun.
        target: Validation loss at which the search may stop.
        epochs: Of a trial that is not pruned.
        train: Samples.
        validation: Samples.

    Returns:
        `curves`: per trial the validation loss of each epoch; `accuracies`: the same; `done`:
        whether it was completed; `seconds`.
    """
    x, y, *held = images(home, train, validation)
    import keras
    import keras_tuner

    from kerasopt.tuning import Tuner

    begun = time.perf_counter()
    found: dict[str, Any] = {"curves": [], "accuracies": [], "done": [], "values": []}

    class Note(keras.callbacks.Callback):
        def on_train_begin(self, logs: Any = None) -> None:
            found["curves"].append([])
            found["accuracies"].append([])

        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            found["curves"][-1].append(round(float(logs["val_loss"]), 5))
            found["accuracies"][-1].append(round(float(logs["val_accuracy"]), 4))

    tuner = Tuner(
        hypermodel(x.shape[1:]),
        keras_tuner.Objective("val_loss", "min"),
        trials,
        sampler,
        "memory",
        seed=seed,
        pruner=pruner,
        keep_best=0,
        directory=".",
        project_name=f"seed{seed}",
    )
    best = math.inf
    limited = most_epochs is not None or target is not None
    for most in [1] * trials if limited else [trials]:
        tuner.search(
            x,
            y,
            batch_size=BATCH,
            epochs=epochs,
            validation_data=tuple(held),
            validation_batch_size=1000,
            callbacks=lambda: [Note()],
            verbose=0,
            most=most,
        )
        records = tuner.results()
        found["done"] = [one.state == "COMPLETED" for one in records]
        found["values"] = [one.values for one in records]
        used = sum(len(curve) for curve in found["curves"])
        if found["done"][-1]:
            best = min(best, *found["curves"][-1])
        if (most_epochs is not None and used >= most_epochs) or (
            target is not None and best <= target
        ):
            break
    return {**found, "seconds": time.perf_counter() - begun}
