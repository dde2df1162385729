#!/usr/bin/env bash
# Keras 3.15.1: `BackupAndRestore(save_freq=n)` saves the weights and the number of the batch in the
# middle of an epoch, but a new start reads only the epoch: on top of the weights from its middle it
# is trained from its first batch again, and more optimizer steps are done than were asked for.
# Seen 2026-11-30 on Linux x86-64 with Python 3.11, TensorFlow 2.21.0.
. "$(dirname "$0")/_venv.bash" keras==3.15.1 tensorflow==2.21.0
python - <<'PY'
import sys
from pathlib import Path

import keras
import numpy as np

print("keras", keras.__version__)
x, y = np.ones((80, 2), "float32"), np.zeros((80, 1), "float32")


class Interruption(keras.callbacks.Callback):
    """Ctrl-C in the seventh batch of the second epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if self.model.optimizer.iterations == 17:
            raise KeyboardInterrupt


def steps(save_freq, *callbacks):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    backup = keras.callbacks.BackupAndRestore(f"{save_freq}", save_freq=save_freq)
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, callbacks=[backup, *callbacks])
    return int(model.optimizer.iterations)


found = {}
for save_freq in ("epoch", 2):
    try:
        steps(save_freq, Interruption())
    except KeyboardInterrupt:
        saved = Path(f"{save_freq}/training_metadata.json").read_text()
        print(f"save_freq={save_freq!r}: saved", saved)
    found[save_freq] = steps(save_freq)
    print(f"started again: {found[save_freq]} steps in all, of 20")
if found != {"epoch": 20, 2: 26}:
    sys.exit("changed")
PY
