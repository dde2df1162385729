"""The main job on real data: train, prune, quantize and verify a small CNN."""

import json
import os
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from kerasopt._core.files import write_text
from kerasopt._core.logs import scalar
from kerasopt._core.quiet import held_back


@dataclass(frozen=True)
class Images:
    """Images and labels, split in order: training, validation, test.

    Attributes:
        name: What the data is called.
        images: Array of shape (n, height, width, 1), raw pixels.
        labels: Array of shape (n,), classes from 0.
        brightest: The highest value a pixel can have.
        validation: How many images before the test set are for validation.
        test: How many images at the end are the test set.
    """

    name: str
    images: NDArray[Any]
    labels: NDArray[Any]
    brightest: int
    validation: int
    test: int

    def part(self, which: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Give the images and labels of `"train"`, `"validation"` or `"test"`."""
        last = len(self.images) - self.test
        middle = last - self.validation
        where = {
            "train": slice(0, middle),
            "validation": slice(middle, last),
            "test": slice(last, None),
        }
        return self.images[where[which]], self.labels[where[which]]


def digits() -> Images:
    """Load scikit-learn's 1,797 handwritten digits of 8 x 8 pixels, values 0 to 16."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise click.ClickException(
            "The digits come with scikit-learn: pip install 'kerasopt[demo]'."
        ) from error
    data = load_digits()
    images = data.images.astype(np.float32)[..., np.newaxis]
    return Images("handwritten digits", images, data.target, 16, validation=200, test=397)


def fashion_mnist() -> Images:
    """Load Fashion-MNIST: 70,000 images of 28 x 28 pixels, values 0 to 255."""
    import keras

    try:
        (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # a download can fail in many ways
        raise click.ClickException(
            f"Fashion-MNIST could not be loaded ({error}). It is downloaded once; on a machine "
            "without network, put it into a Keras cache and set KERAS_HOME to that folder."
        ) from error
    images = np.concatenate([x, x_test]).astype(np.float32)[..., np.newaxis]
    labels = np.concatenate([y, y_test])
    return Images("Fashion-MNIST", images, labels, 255, validation=5000, test=len(y_test))


LOADERS = {"digits": digits, "fashion_mnist": fashion_mnist}


SPARSITY = 0.8
EPOCHS = {"digits": 40, "fashion_mnist": 12}
PATIENCE = {"digits": 5, "fashion_mnist": 3}
MIN_DELTA = 0.005
MODES = ("float32", "int8")


def run(dataset: str, output: str, epochs: int | None, seed: int) -> dict[str, Any]:
    """Run the whole line and write models, plot and report into a folder.

    Args:
        dataset: `"digits"` or `"fashion_mnist"`.
        output: The folder, made if it is missing.
        epochs: At most so many; `None` for the data set's default.
        seed: Of the weights, the order of the data and dropout.

    Returns:
        What `report.json` holds.

    Raises:
        click.UsageError: If the folder cannot be written (the command then exits with 2).
    """
    console = Console()
    folder = _writable(output)
    begun = time.perf_counter()
    with console.status("Loading TensorFlow and the data"):
        with held_back():
            import keras

            keras.ops.ones(())  # TensorFlow also talks when it first computes
        data = LOADERS[dataset]()
    keras.utils.set_random_seed(seed)
    train, validation, test = (data.part(which) for which in ("train", "validation", "test"))
    console.rule(f"[bold]1/3  Train and prune on {data.name}")
    console.print(
        f"{len(train[0]):,} training, {len(validation[0]):,} validation and {len(test[0]):,} "
        f"test images; the kernels go to {SPARSITY:.0%} zeros"
    )
    model, history, stopper = _trained(data, epochs or EPOCHS[dataset], PATIENCE[dataset])
    console.print(
        f"Stopped: {stopper.reason or 'at the last epoch'}. Best: {stopper.best_epoch + 1}"
    )

    console.rule("[bold]2/3  Export, and compare with Keras")
    keras_path = folder / "model.keras"
    _without_optimizer(model).save(keras_path)
    files = _exported(console, model, folder, train[0], test[0])

    console.rule("[bold]3/3  Measure")
    with console.status("Measuring accuracy, size and latency"):
        measured = _measured(model, keras_path, files, test)
    table = _table(data, measured)
    report = {
        "dataset": dataset,
        "seed": seed,
        "models": measured,
        "training": {
            "epochs": len(history.epoch),
            "stopped_because": stopper.reason,
            "best_epoch": stopper.best_epoch + 1,
            "history": {k: [scalar(k, v) for v in curve] for k, curve in history.history.items()},
        },
        "verification": {mode: file.report.to_dict() for mode, file in files.items()},
        "machine": _machine(),
        "seconds": round(time.perf_counter() - begun, 1),
    }
    from kerasopt.reporting import plot_history

    plot_history(history, stopper, folder / "training.png", title=f"kerasopt demo, {data.name}")
    write_text(folder / "report.json", json.dumps(report, indent=2) + "\n")
    console.print(table)
    for mode, file in files.items():
        one = next(iter(file.report.agreement.values()))
        console.print(
            f"{mode}: {one.sqnr_db:.0f} dB against Keras, the same class for "
            f"{one.argmax:.1%} of the test images"
        )
    names = ", ".join(sorted(path.name for path in folder.iterdir() if path.is_file()))
    console.print(f"{report['seconds']:.0f} s in all. In [bold]{folder}[/]: {names}")
    return report


def _writable(output: str) -> Path:
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".kerasopt-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        raise click.UsageError(
            f"Cannot write to the folder {str(folder)!r}: {error.strerror or error}. "
            "Name another one with --output."
        ) from error
    return folder


def _cnn(data: Images) -> Any:
    import keras
    from keras import layers

    small = data.images.shape[1] < 16
    return keras.Sequential(
        [
            keras.Input(data.images.shape[1:], name="pixels"),
            layers.Rescaling(1.0 / data.brightest),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            *([] if small else [layers.MaxPooling2D()]),
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10, activation="softmax", name="class"),
        ]
    )


def _trained(data: Images, epochs: int, patience: int) -> tuple[Any, Any, Any]:
    from kerasopt.callbacks import EarlyStopping, Pruning
    from kerasopt.regularization import add_penalty, insert_dropout
    from kerasopt.schedules import PolynomialDecay

    model = insert_dropout(_cnn(data), 0.25)
    add_penalty(model, 1e-4)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    stopper = EarlyStopping(monitor="val_loss", patience=patience, min_delta=MIN_DELTA)
    pruning = Pruning(PolynomialDecay(0.0, SPARSITY, begin=0.1, end=0.5))
    history = model.fit(
        *data.part("train"),
        batch_size=32 if len(data.images) < 10_000 else 128,
        epochs=epochs,
        validation_data=data.part("validation"),
        callbacks=[stopper, pruning],
        verbose=1 if sys.stdout.isatty() else 2,
    )
    return model, history, stopper


def _without_optimizer(model: Any) -> Any:
    """Give a copy that was never compiled: Adam's slots would treble the file's size."""
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def _exported(console: Console, model: Any, folder: Path, train: Any, test: Any) -> dict[str, Any]:
    from kerasopt.export import to_tflite

    files = {}
    for mode in MODES:
        with console.status(f"Exporting {mode}"):
            files[mode] = to_tflite(
                model,
                folder / f"model-{mode}.tflite",
                mode,
                calibration=train if mode == "int8" else None,
                validation_data=test,
            )
        console.print(f"{mode}: written, after it was run and compared")
    return files


def _measured(
    model: Any, keras_path: Path, files: dict[str, Any], test: tuple[Any, Any]
) -> dict[str, dict[str, Any]]:
    import zlib

    from kerasopt import pruning
    from kerasopt.export.runtime.keras_latency import latency_in_turn

    x, y = test
    content = keras_path.read_bytes()
    # In turn: what else the machine does slows all of them.
    timed = latency_in_turn(
        keras_path, [keras_path.with_name(f"model-{mode}.tflite") for mode in files]
    )
    floats = 1 + list(files).index("float32")
    figures: dict[str, dict[str, Any]] = {
        "keras": {
            "accuracy": float((model.predict(x, verbose=0).argmax(-1) == y).mean()),
            "sparsity": pruning.sparsity(model).total,
            "bytes": len(content),
            "zipped_bytes": len(zlib.compress(content, 9)),
            "latency_ms": timed.latencies[0].median_ms,
        }
    }
    for position, (mode, file) in enumerate(files.items(), 1):
        figures[mode] = {
            "accuracy": float((file.predict(x).argmax(-1) == y).mean()),
            "sparsity": file.report.cost.sparsity,
            "bytes": file.report.cost.file_bytes,
            "zipped_bytes": file.report.cost.zipped_bytes,
            "latency_ms": timed.latencies[position].median_ms,
            "slower_than_float32": timed.pace(position, floats).slower,
        }
    return figures


def _table(data: Images, figures: dict[str, dict[str, Any]]) -> Any:
    from kerasopt.reporting import table

    rows = {
        {"keras": "Keras model"}.get(name, f"TFLite {name}"): [
            f"{one['accuracy']:.4f}",
            f"{one['sparsity']:.1%}",
            f"{one['bytes']:,}",
            f"{one['zipped_bytes']:,}",
            f"{one['latency_ms']:.3f}" + ", slower" * one.get("slower_than_float32", False),
        ]
        for name, one in figures.items()
    }
    columns = ["", "accuracy", "sparsity", "bytes", "zipped", "ms, 1 thread"]
    return table(f"{data.name}: {data.test:,} test images", columns, rows)


def _machine() -> dict[str, Any]:
    import keras
    import numpy as np
    import tensorflow as tf

    return {
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
    }
