"""What usefulness is judged on: small models trained for a task each, and their skill."""

import csv
import gzip
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.metrics import r2_score, roc_auc_score

Array = NDArray[Any]
Outputs = Mapping[str, Array]


@dataclass(frozen=True)
class Subject:
    """A trained model and how well it does its task.

    Attributes:
        name: For people.
        model: It.
        calibration: Data that sets ranges.
        test: Data on which its skill is measured.
        metric: Its name, and what it is of some outputs.
        chance: What a constant has of that metric.
        labels: For the test data, as `to_tflite` takes them; `None` where it has no such metric.
    """

    name: str
    model: Any
    calibration: Array
    test: Array
    metric: tuple[str, Callable[[Outputs], float]]
    chance: float = 0.0
    labels: Any = None


def subjects(data: Path, quick: bool = False) -> Iterator[Subject]:
    """Train one after another.

    Args:
        data: The folder `shared`; what needs it is left out where it is missing.
        quick: Whether one epoch each is enough.
    """
    yield from _digits(quick)
    yield from _maps(quick)
    yield from _shapes(quick)
    yield from _weather(quick)
    if (data / "data" / "housing.csv").exists():
        yield from _housing(data / "data" / "housing.csv", quick)
    if (data / "keras_home" / "datasets" / "fashion-mnist").exists():
        yield from _fashion(data / "keras_home" / "datasets" / "fashion-mnist", quick)


def trained(model: Any, x: Array, y: Any, loss: Any, epochs: int, rate: float = 3e-3) -> Any:
    """Train a model."""
    model.compile(keras.optimizers.Adam(rate), loss)
    model.fit(x, y, epochs=epochs, batch_size=64, verbose=0)
    return model


def only(outputs: Outputs) -> Array:
    """Give the output of a model that has one."""
    (found,) = outputs.values()
    return found


def accuracy(y: Array) -> tuple[str, Callable[[Outputs], float]]:
    """Give the accuracy of the largest entry."""
    return "accuracy", lambda outputs: float(np.mean(only(outputs).argmax(-1) == y))


def r2(y: Array) -> tuple[str, Callable[[Outputs], float]]:
    """Give R2, of several columns the lowest."""
    rows = y.reshape(len(y), -1)

    def of(outputs: Outputs) -> float:
        found = r2_score(rows, only(outputs).reshape(rows.shape), multioutput="raw_values")
        return float(np.min(found))

    return "R2", of


def _digits(quick: bool) -> Iterator[Subject]:
    epochs = 1 if quick else 25
    found = load_digits()
    x, y = (found.data / 16.0).astype("float32"), found.target
    order = np.random.default_rng(0).permutation(len(x))
    x, y = x[order], y[order]
    fit, test, goal, right = x[:1000], x[1000:], y[:1000], y[1000:]
    logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def mlp(units: int, activation: Any = None) -> Any:
        return keras.Sequential(
            [keras.Input((64,)), layers.Dense(48, "relu"), layers.Dense(units, activation)]
        )

    model = trained(mlp(10), fit, goal, logits, epochs)
    yield Subject("digits, logits", model, fit[:200], test, accuracy(right), 0.1, right)
    rng = np.random.default_rng(1)
    noise = rng.random((200, 64)).astype("float32")
    for name, wrong in (
        ("blank samples", np.full((200, 64), 0.01, "float32") * noise),
        ("a tenth of the scale", fit[:200] / 10),
        ("noise", noise),
        ("an outlier of 1000", np.concatenate([fit[:199], 1000 * fit[199:200]])),
        ("an outlier of 30", np.concatenate([fit[:199], 30 * fit[199:200]])),
    ):
        title = f"digits, calibrated on {name}"
        yield Subject(title, model, wrong, test, accuracy(right), 0.1, right)
    sparse = "sparse_categorical_crossentropy"
    model = trained(mlp(10, "softmax"), fit, goal, sparse, epochs)
    yield Subject("digits, softmax", model, fit[:200], test, accuracy(right), 0.1, right)
    model = trained(mlp(10, "sigmoid"), fit, np.eye(10)[goal], "binary_crossentropy", epochs)
    yield Subject("digits, ten sigmoids", model, fit[:200], test, accuracy(right), 0.1)
    rare = (right == 8).astype(int)
    model = trained(mlp(1, "sigmoid"), fit, (goal == 8) * 1.0, "binary_crossentropy", epochs)
    auc = ("AUC", lambda outputs: float(roc_auc_score(rare, only(outputs).ravel())))
    yield Subject("digits, is it an 8", model, fit[:200], test, auc, 0.5)
    model = keras.Sequential(
        [keras.Input((64,)), layers.Dense(24, "relu"), layers.Dense(64, "sigmoid")]
    )
    model = trained(model, fit, fit, "mse", epochs)
    pixels = ("R2 of all pixels", lambda outputs: float(
        1 - np.square(only(outputs) - test).sum() / np.square(test - test.mean(0)).sum()
    ))  # fmt: skip
    yield Subject("digits, autoencoder", model, fit[:200], test, pixels)

    base = trained(mlp(10), fit, goal, logits, epochs)
    hidden = keras.Model(base.inputs, base.layers[0].output)
    unit = keras.Model(base.inputs, layers.UnitNormalization()(hidden.output))
    gallery, queries, theirs, mine = test[:400], test[400:], right[:400], right[400:]

    def nearest(embed: Any) -> tuple[str, Callable[[Outputs], float]]:
        keys = embed.predict(gallery, verbose=0)

        def of(outputs: Outputs) -> float:
            apart = np.square(only(outputs)[:, None] - keys[None]).sum(-1)
            return float(np.mean(theirs[apart.argmin(1)] == mine))

        return "1-NN accuracy", of

    yield Subject("embedding, 48 ReLU", hidden, fit[:200], queries, nearest(hidden), 0.1)
    yield Subject("embedding, unit length", unit, fit[:200], queries, nearest(unit), 0.1)

    inputs = keras.Input((64,))
    h = layers.Dense(48, "relu")(inputs)
    model = keras.Model(inputs, [layers.Dense(10, name="digit")(h), layers.Dense(1, name="ink")(h)])
    ink = 100 * fit.sum(1)
    model = trained(model, fit, [goal, ink / 100], [logits, "mse"], epochs)
    wide = test.sum(1)

    def both(outputs: Outputs) -> float:
        said = float(np.mean(outputs["digit"].argmax(-1) == right)) - 0.1
        return min(said / 0.9, float(r2_score(wide, outputs["ink"].ravel())))

    yield Subject("digits, two outputs", model, fit[:200], test, ("least skill", both))


def _maps(quick: bool) -> Iterator[Subject]:
    """A map of classes: a disc and a square on noise."""
    rng = np.random.default_rng(0)
    count, side = 300, 24
    y = np.zeros((count, side, side), int)
    rows, columns = np.mgrid[:side, :side]
    for one in y:
        a, b, c, d = rng.integers(3, side - 4, 4)
        one[(rows - a) ** 2 + (columns - b) ** 2 <= 16] = 1
        one[c : c + 4, d : d + 4] = 2
    x = (np.array([0.0, 0.6, -0.6])[y] + 0.3 * rng.normal(size=y.shape))[..., None]
    x = x.astype("float32")
    model = keras.Sequential(
        [
            keras.Input((side, side, 1)),
            layers.Conv2D(8, 5, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(3, 3, padding="same", activation="softmax"),
        ]
    )
    model = trained(model, x[:200], y[:200], "sparse_categorical_crossentropy", 1 if quick else 8)
    blank = float(np.mean(y[200:] == 0))
    yield Subject("segmentation map", model, x[:200], x[200:], accuracy(y[200:]), blank, y[200:])


def _shapes(quick: bool) -> Iterator[Subject]:
    """A detector: where a bright square is, and whether there is one."""
    rng = np.random.default_rng(0)
    count, side = 800, 16
    x = 0.2 * rng.normal(size=(count, side, side, 1)).astype("float32")
    there = rng.random(count) < 0.6
    box = np.zeros((count, 4), "float32")
    for number in range(count):
        a, b = rng.integers(0, side - 6, 2)
        h, w = rng.integers(3, 7, 2)
        box[number] = np.array([a, b, a + h, b + w]) / side
        if there[number]:
            x[number, a : a + h, b : b + w] += 1.0
    score = there.astype("float32")
    box[~there] = 0.5

    def head(scale: float, separate: bool) -> Any:
        inputs = keras.Input((side, side, 1))
        h = layers.Conv2D(12, 3, strides=2, activation="relu")(inputs)
        h = layers.Conv2D(16, 3, activation="relu")(h)
        h = layers.Dense(48, "relu")(layers.Flatten()(h))
        corners = layers.Dense(4, name="corners")(h)
        sure = layers.Dense(1, "sigmoid", name="sure")(h)
        model = keras.Model(inputs, [corners, sure])
        trained(model, x[:600], [box[:600], score[:600]], ["mse", "binary_crossentropy"],
                1 if quick else 12)  # fmt: skip
        scaled = layers.Rescaling(scale, name="boxes")(corners)
        outputs = [scaled, sure] if separate else layers.Concatenate(name="all")([scaled, sure])
        return keras.Model(inputs, outputs)

    def skill(scale: float) -> Callable[[Outputs], float]:
        def of(outputs: Outputs) -> float:
            found = np.concatenate(list(outputs.values()), -1)
            sure = 2 * roc_auc_score(there[600:], found[:, 4]) - 1
            seen = there[600:]
            corners = r2_score(box[600:][seen], found[seen, :4] / scale, multioutput="raw_values")
            return float(min(sure, corners.min()))

        return of

    for name, scale, separate in (
        ("detector, boxes to 300 and score in one", 300.0, False),
        ("detector, boxes to 300, score apart", 300.0, True),
        ("detector, boxes to 1 and score in one", 1.0, False),
    ):
        metric = ("least skill", skill(scale))
        yield Subject(name, head(scale, separate), x[:200], x[600:], metric)


def _weather(quick: bool) -> Iterator[Subject]:
    """A pressure and a logit."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1500, 6)).astype("float32")
    pressure = 1013 + 5 * np.tanh(x[:, 0] + 0.5 * x[:, 1]) + 0.5 * rng.normal(size=len(x))
    rain = (x[:, 2] + x[:, 3] * x[:, 4] + 0.3 * rng.normal(size=len(x)) > 0).astype("float32")

    def built(means: float, separate: bool) -> Any:
        inputs = keras.Input((6,))
        h = layers.Dense(32, "relu")(inputs)
        outputs = [layers.Dense(1, name="pressure")(h), layers.Dense(1, name="rain")(h)]
        model = keras.Model(inputs, outputs)
        loss = ["mse", keras.losses.BinaryCrossentropy(from_logits=True)]
        y = [(pressure[:1000] - 1013) / 5, rain[:1000]]
        trained(model, x[:1000], y, loss, 1 if quick else 15)
        one = layers.Dense(2, name="weather")
        joined = keras.Model(inputs, one(h))
        weights = [model.get_layer(name).get_weights() for name in ("pressure", "rain")]
        kernel = np.concatenate([weights[0][0] * 5, weights[1][0]], 1)
        one.set_weights([kernel, np.concatenate([weights[0][1] * 5 + means, weights[1][1]])])
        if not separate:
            return joined
        apart = [layers.Dense(1, name=name) for name in ("pressure_", "rain_")]
        both = keras.Model(inputs, [each(h) for each in apart])
        for number, each in enumerate(apart):
            bias = one.get_weights()[1][number : number + 1]
            each.set_weights([kernel[:, number : number + 1], bias])
        return both

    def skill(means: float) -> Callable[[Outputs], float]:
        def of(outputs: Outputs) -> float:
            found = np.concatenate(list(outputs.values()), -1)
            right = pressure[1000:] - 1013 + means
            sure = 2 * roc_auc_score(rain[1000:], found[:, 1]) - 1
            return float(min(sure, r2_score(right, found[:, 0])))

        return of

    for name, means, separate in (
        ("pressure and logit in one", 1013.0, False),
        ("pressure less its mean, and logit in one", 0.0, False),
        ("pressure and logit apart", 1013.0, True),
    ):
        model = built(means, separate)
        yield Subject(name, model, x[:200], x[1000:], ("least skill", skill(means)))


def _housing(path: Path, quick: bool) -> Iterator[Subject]:
    with path.open() as file:
        rows = [row[:9] for row in csv.reader(file)][1:]
    table = np.array([[float(one) for one in row] for row in rows if all(row)], "float32")
    table = table[np.random.default_rng(0).permutation(len(table))]
    x, price = table[:, :8], table[:, 8]
    mean, std = x[:8000].mean(0), x[:8000].std(0)
    forms = {
        "price": price,
        "price / 1e5": price / 1e5,
        "log price": np.log(price),
        "standardized price": (price - price.mean()) / price.std(),
    }
    for form, y in forms.items():
        for inside in (True, False):
            norm = layers.Normalization(name="norm")
            norm.adapt(x[:8000])
            last = layers.Dense(1)
            parts = [layers.Dense(32, "relu"), layers.Dense(16, "relu"), last]
            features = x if inside else (x - mean) / std
            model = keras.Sequential([keras.Input((8,)), *([norm] if inside else []), *parts])
            # Trained on a standardized target, which is put back into the last layer.
            middle, spread = y[:8000].mean(), y[:8000].std()
            goal = (y[:8000] - middle) / spread
            trained(model, features[:8000], goal, "mse", 1 if quick else 6)
            kernel, bias = last.get_weights()
            last.set_weights([kernel * spread, bias * spread + middle])
            name = f"housing, {form}, {'Normalization inside' if inside else 'scaled outside'}"
            test = slice(8000, 12000)
            yield Subject(name, model, features[:300], features[test], r2(y[test]), 0.0, y[test])


def _fashion(folder: Path, quick: bool) -> Iterator[Subject]:
    def read(name: str, skip: int) -> Array:
        return np.frombuffer(gzip.decompress((folder / name).read_bytes()), np.uint8, offset=skip)

    count = 500 if quick else 8000
    x = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28, 1)[:count] / np.float32(255)
    y = read("train-labels-idx1-ubyte.gz", 8)[:count].astype(int)
    test = read("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28, 1)[:2000] / np.float32(255)
    right = read("t10k-labels-idx1-ubyte.gz", 8)[:2000].astype(int)
    for name, activation in (("softmax", "softmax"), ("logits", None)):
        model = keras.Sequential(
            [
                keras.Input((28, 28, 1)),
                layers.Conv2D(8, 3, strides=2, use_bias=False),
                layers.BatchNormalization(),
                layers.ReLU(),
                layers.DepthwiseConv2D(3),
                layers.Conv2D(16, 3, strides=2, activation="relu"),
                layers.Flatten(),
                layers.Dense(10, activation),
            ]
        )
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=activation is None)
        model = trained(model, x, y, loss, 1 if quick else 4)
        yield Subject(f"Fashion-MNIST, {name}", model, x[:200], test, accuracy(right), 0.1, right)
