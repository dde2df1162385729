"""A training that is killed: it tells each of its moments and waits until it may go on.

    python child.py FOLDER SOURCE SAVE_FREQ

After every line it prints, it waits for one on its standard input, so the process that started it
can kill it at any moment, also in the middle of writing a backup.
"""

import io
import json
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

from kerasopt._core import files
from kerasopt.callbacks import BackupAndRestore, EarlyStopping, Pruning
from kerasopt.schedules import PolynomialDecay
from kerasopt.stopping import Patience, TimeBudget, UpStrips

EPOCHS, BATCH = 18, 16
rng = np.random.default_rng(0)
CENTRES = rng.normal(size=(3, 6))
LABELS = rng.integers(0, 3, 150)
X = (CENTRES[LABELS] + 1.5 * rng.normal(size=(150, 6))).astype("float32")
HELD = (CENTRES[LABELS] + 1.5 * rng.normal(size=(150, 6))).astype("float32")


class Stateless(keras.utils.PyDataset):
    def __len__(self):
        return -(-len(X) // BATCH)

    def __getitem__(self, index):
        rows = slice(index * BATCH, (index + 1) * BATCH)
        return X[rows], LABELS[rows]


def data(source):
    """Give the arguments of `fit` for a kind of data."""
    shuffled = tf.data.Dataset.from_tensor_slices((X, LABELS)).shuffle(
        150, seed=5, reshuffle_each_iteration=False
    )
    return {
        "arrays": lambda: {"x": X, "y": LABELS, "batch_size": BATCH, "shuffle": False},
        "PyDataset": lambda: {"x": Stateless(), "shuffle": False},
        "tf.data": lambda: {"x": shuffled.batch(BATCH)},
        # One iterator for all epochs, which begin at other places in the data each time.
        "endless": lambda: {"x": shuffled.batch(BATCH).repeat(), "steps_per_epoch": 7},
    }[source]()


def tell(moment):
    sys.stdout.write(f"{moment}\n")
    sys.stdout.flush()
    sys.stdin.readline()


class Tell(keras.callbacks.Callback):
    def on_train_batch_begin(self, batch, logs=None):
        tell(f"batch {batch} begins")

    def on_train_batch_end(self, batch, logs=None):
        tell(f"batch {batch} ends")

    def on_epoch_end(self, epoch, logs=None):
        tell(f"epoch {epoch} ends")


def savez_slowly(file, **arrays):
    buffer = io.BytesIO()
    np_savez(buffer, **arrays)
    content = buffer.getvalue()
    file.write(content[: len(content) // 2])
    file.flush()
    tell("half written")
    file.write(content[len(content) // 2 :])
    file.flush()
    tell("written")


def replace_and_tell(source, target):
    os_replace(source, target)
    tell("moved")


def main(folder, source, save_freq):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(24, activation="relu", name="hidden"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.Dropout(0.4, name="dropout"),
            keras.layers.Dense(3, name="logits"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(0.05),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        steps_per_execution=2 if source == "tf.data" else 1,
    )
    stopper = EarlyStopping(
        rules=Patience(2, min_delta=0.015, relative=True, smoothing=0.3)
        | UpStrips(2, strip=2)
        | TimeBudget("10:00:00"),
        start_from_epoch=4,
    )
    theirs = keras.callbacks.EarlyStopping(patience=50)
    plateau = keras.callbacks.ReduceLROnPlateau(patience=1, factor=0.5, min_delta=0.02)
    checkpoint = keras.callbacks.ModelCheckpoint(
        str(folder / "best.keras"), save_best_only=True, monitor="val_accuracy"
    )
    rate = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate * 0.95)
    history = model.fit(
        **data(source),
        epochs=EPOCHS,
        validation_data=(HELD, LABELS),
        verbose=0,
        callbacks=[
            Tell(),
            stopper,
            BackupAndRestore(folder / "backup", save_freq=save_freq),
            Pruning(PolynomialDecay(0.0, 0.5, end=0.3), exclude="logits", frequency=3),
            plateau,
            rate,
            theirs,
            checkpoint,
            Tell(),
        ],
    )
    result = {
        "history": history.history,
        "epoch": history.epoch,
        "stopped": [stopper.stopped, stopper.stopped_epoch, stopper.reason],
        "best": [
            stopper.best_epoch,
            stopper.best_value,
            {str(k): v for k, v in stopper.history.items()},
        ],
        "theirs": [theirs.wait, theirs.best, theirs.best_epoch, plateau.best, checkpoint.best],
        "weights": model.get_weights(),
        "optimizer": [keras.ops.convert_to_numpy(v) for v in model.optimizer.variables],
        "left": sorted(path.name for path in folder.iterdir()),
    }
    os.replace = os_replace
    np.savez = np_savez
    files.save(folder / "result.npz", result)
    sys.stdout.write("done\n")


if __name__ == "__main__":
    np_savez, os_replace = np.savez, os.replace
    np.savez, os.replace = savez_slowly, replace_and_tell
    frequency = json.loads(sys.argv[3])
    main(Path(sys.argv[1]), sys.argv[2], frequency)
