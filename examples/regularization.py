"""A model that overfits 300 images, and the same model regularized without touching its code.

Digits are easy: what regularization wins here is little. `benchmarks/results/regularization.md`
shows what it wins where there is more to win.
"""

import keras
from sklearn.datasets import load_digits

import kerasopt
from kerasopt.callbacks import DropoutSchedule, EarlyStopping, WeightPenalty
from kerasopt.regularization import freeze_dropout, insert_dropout
from kerasopt.schedules import PolynomialDecay

x, y = load_digits(return_X_y=True)
x = x.reshape(-1, 8, 8, 1).astype("float32") / 16
train, held, test = (x[:300], y[:300]), (x[300:600], y[300:600]), (x[600:], y[600:])


def your_model() -> keras.Model:
    """Give the model as you have it: compiled, with a plain `fit` to come."""
    keras.utils.set_random_seed(1)
    image = keras.Input((8, 8, 1))
    hidden = keras.layers.Conv2D(32, 3, activation="relu", name="conv")(image)
    hidden = keras.layers.MaxPooling2D(name="pool")(hidden)
    hidden = keras.layers.Dense(128, activation="relu", name="dense")(
        keras.layers.Flatten()(hidden)
    )
    model = keras.Model(image, keras.layers.Dense(10, activation="softmax", name="digit")(hidden))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def trained(model: keras.Model, *callbacks: keras.callbacks.Callback) -> keras.callbacks.History:
    """Train as long as the accuracy on the images held back rises."""
    stopper = EarlyStopping(monitor="val_accuracy", patience=15)
    return model.fit(
        *train, epochs=60, verbose=0, validation_data=held, callbacks=[*callbacks, stopper]
    )


model = your_model()
trained(model)
print(f"as it was: test accuracy {model.evaluate(*test, verbose=0)[1]:.3f}")

# A dropout whose rate rises from 0 to 0.5, and an L2 penalty that sets in over half of the run.
model = insert_dropout(your_model(), 0.0, kind="scheduled", seed=1)
warm_up = PolynomialDecay(0.0, 1.0, begin=0, end=0.5, power=1)
history = trained(model, DropoutSchedule(0.5), WeightPenalty(l2=1e-3, schedule=warm_up))
rate, scale = history.history["dropout_rate"][-1], history.history["weight_penalty_scale"][-1]
print(f"the last epoch: dropout {rate:.2f}, penalty x {scale:.2f}")

model = freeze_dropout(model)  # plain Keras again
print(f"regularized: test accuracy {model.evaluate(*test, verbose=0)[1]:.3f}")
model.save("digits-regularized.keras")
print([layer.name for layer in kerasopt.load_model("digits-regularized.keras").layers])
