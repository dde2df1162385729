"""From data to a pruned, quantized and verified TFLite file, inside a plain `model.fit`."""

import keras
from sklearn.datasets import load_digits

from kerasopt import EarlyStopping, Pruning, add_penalty, insert_dropout, to_tflite
from kerasopt.schedules import PolynomialDecay

x, y = load_digits(return_X_y=True)
x, layers = x.reshape(-1, 8, 8, 1).astype("float32"), keras.layers
model = keras.Sequential([keras.Input((8, 8, 1)), layers.Rescaling(1 / 16)])
model.add(layers.Conv2D(32, 3, activation="relu"))
model.add(layers.MaxPooling2D())
model.add(layers.Flatten())
model.add(layers.Dense(64, activation="relu"))
model.add(layers.Dense(10, activation="softmax"))

model = insert_dropout(model, 0.2)  # a new model with the same weights
add_penalty(model, keras.regularizers.L2(1e-4))  # in place, on every kernel
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
pruning = Pruning(PolynomialDecay(initial=0.0, final=0.8, begin=0.1, end=0.5))
stopper = EarlyStopping(monitor="val_loss", patience=5, verbose=1)
held = (x[1200:1400], y[1200:1400])
model.fit(x[:1200], y[:1200], epochs=40, validation_data=held, callbacks=[pruning, stopper])

for mode in ("float32", "int8"):
    file = to_tflite(
        model, f"digits-{mode}.tflite", mode, calibration=x[:1200], validation_data=x[1400:]
    )
    print(file, "accuracy", (file.predict(x[1400:]).argmax(-1) == y[1400:]).mean())
