"""Run by `test_backends.py` in a process of its own, in which Keras runs on another backend."""

import sys

import keras
import numpy as np
from keras import layers

from kerasopt.batch_norm import fold_batch_norm
from kerasopt.profile import count
from kerasopt.pruning import prune
from kerasopt.pruning.statistics.gradients import Gradients
from kerasopt.regularization import add_penalty, freeze_dropout, insert_dropout, remove_dropout
from kerasopt.structured import shrink, shrink_plan

X = np.random.default_rng(0).normal(size=(32, 6, 6, 3)).astype("float32")
Y = np.arange(32) % 3


def trained():
    keras.utils.set_random_seed(0)
    base = keras.Sequential([keras.Input((6, 6, 3)), layers.Conv2D(3, 3)], name="base")
    base.trainable = False
    model = keras.Sequential(
        [
            keras.Input((6, 6, 3)),
            base,
            layers.Conv2D(8, 3, padding="same", use_bias=False, name="conv"),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.Dropout(0.1, name="drop"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(16, activation="relu", name="hidden"),
            layers.Dense(3, activation="softmax", name="top"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    add_penalty(model, 1e-2, include="top")
    model.fit(X, Y, verbose=0)
    return model


def use_both(old, new):
    """Let each give the memory of its arrays away, as JAX does, and go on."""
    assert new.get_layer("base") is old.get_layer("base")
    for model in (new, old, new, old):
        model.predict(X, verbose=0)
        model.fit(X, Y, verbose=0)


def main(backend):
    assert keras.config.backend() == backend
    old = trained()
    before = old.predict(X, verbose=0)

    new = insert_dropout(old, 0.2, after="hidden", kind="scheduled")
    np.testing.assert_allclose(new.predict(X, verbose=0), before, atol=1e-5)
    new = remove_dropout(freeze_dropout(new))
    np.testing.assert_allclose(new.predict(X, verbose=0), before, atol=1e-5)
    folded = fold_batch_norm(new)
    np.testing.assert_allclose(folded.predict(X, verbose=0), before, atol=1e-4)
    use_both(old, new)

    plan = shrink_plan(
        old, pruning_ratio=0.5, round_to=1, exclude="base", importance="taylor", data=(X, Y)
    )
    small = plan.apply()
    np.testing.assert_allclose(
        small.predict(X, verbose=0), plan.masked().predict(X, verbose=0), atol=1e-5
    )
    assert count(small).macs < count(old).macs
    use_both(old, small)
    shrink(
        old,
        pruning_ratio=0.5,
        round_to=1,
        exclude="base",
        importance="apoz",
        data=X,
        reconstruct=True,
    )

    check_gradient(old)
    try:
        prune(old, 0.5)
    except RuntimeError as error:
        assert "KERAS_BACKEND=tensorflow" in str(error)  # noqa: PT017
    else:
        raise AssertionError("pruning in place is for TensorFlow")
    sys.stdout.write("all right\n")


def check_gradient(model):
    """Compare with finite differences of what Keras's `evaluate` says, the penalty included."""
    kernel = model.get_layer("top").kernel
    value = np.array(keras.ops.convert_to_numpy(kernel))
    [gradient], _ = Gradients(model, [kernel]).over([(X, Y)])
    at, losses = (2, 1), []
    for step in (0.01, -0.01):
        moved = value.copy()
        moved[at] += step
        kernel.assign(moved)
        losses.append(model.evaluate(X, Y, batch_size=32, verbose=0))
    kernel.assign(value)
    difference = (losses[0] - losses[1]) / 0.02
    np.testing.assert_allclose(gradient[at], difference, rtol=0.05, atol=1e-4)


if __name__ == "__main__":
    main(sys.argv[1])
