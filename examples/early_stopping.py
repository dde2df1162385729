"""Stop by rules, see why, and go on after a crash.

    pip install 'kerasopt[demo]'
    python examples/early_stopping.py

Kill it while it trains and start it again: it goes on where it was.
"""

import keras
from sklearn.datasets import load_digits

from kerasopt.callbacks import BackupAndRestore, EarlyStopping
from kerasopt.reporting import plot_history
from kerasopt.stopping import NonFinite, Patience, TimeBudget, UpStrips

keras.utils.set_random_seed(1)
x, y = load_digits(return_X_y=True)
x = x.astype("float32") / 16

model = keras.Sequential([keras.Input((64,))])
model.add(keras.layers.Dense(128, activation="relu"))
model.add(keras.layers.Dropout(0.3))
model.add(keras.layers.Dense(10, activation="softmax"))
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])

rules = Patience(5, min_delta=0.01, relative=True) | UpStrips(2) | TimeBudget("00:05:00")
stopper = EarlyStopping("val_loss", rules=rules | NonFinite(), check=20, verbose=1)
history = model.fit(
    x[:1200],
    y[:1200],
    epochs=200,
    shuffle=False,  # so that a second start sees the same batches
    verbose=0,
    validation_data=(x[1200:1400], y[1200:1400]),
    callbacks=[stopper, BackupAndRestore("digits-backup")],
)
print("test accuracy", model.evaluate(x[1400:], y[1400:], verbose=0)[1])
plot_history(history, stopper, "digits-stopping.png", title="handwritten digits")
