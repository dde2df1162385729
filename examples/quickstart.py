"""From data to a pruned, quantized and verified TFLite file, inside a plain `model.fit`."""

import keras
from sklearn.datasets import load_digits

from kerasopt.callbacks import EarlyStopping, Pruning
from kerasopt.export import to_tflite
from kerasopt.regularization import add_penalty, insert_dropout
from kerasopt.schedules import PolynomialDecay

digits = load_digits()
x, y = digits.images[..., None].astype("float32"), digits.target
model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Rescaling(1 / 16),
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.MaxPooling2D(),
        keras.layers.Flatten(),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model = insert_dropout(model, 0.2)  # a new model with the same weights
add_penalty(model, keras.regularizers.L2(1e-4))  # in place, on every kernel
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
pruning = Pruning(PolynomialDecay(initial=0.0, final=0.8, begin=0.1, end=0.5))
stopper = EarlyStopping(monitor="val_loss", patience=5, verbose=1)
model.fit(x[:1200], y[:1200], validation_data=(x[1200:1400], y[1200:1400]), epochs=40,
          callbacks=[pruning, stopper], verbose=2)  # fmt: skip
tflite = to_tflite(model, "digits.tflite", "int8", calibration=x[:1200], check=x[1400:])
print(tflite, "accuracy", (tflite.predict(x[1400:]).argmax(-1) == y[1400:]).mean())
