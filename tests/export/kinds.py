"""Small models of every kind, with data like what they would see; benchmarks use them too."""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

SAMPLES = 100


class Kind(NamedTuple):
    """One kind of model.

    Attributes:
        build: Gives a new model.
        data: Gives samples for it, as `calibration` takes them.
        batch_size: As `to_tflite` takes it.
    """

    build: Callable[[], Any]
    data: Callable[[np.random.Generator], Any]
    batch_size: int | None = None


def lively(model: Any, seed: int = 0) -> Any:
    """Give biases and statistics values that are not the initial ones, which hide mistakes."""
    rng = np.random.default_rng(seed)
    for variable in model.variables:
        name, shape = variable.path.rsplit("/", 1)[-1], tuple(variable.shape)
        if name in ("bias", "beta", "moving_mean"):
            variable.assign(rng.normal(size=shape) * 0.3)
        if name in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 2.0, shape))
    return model


def stack(shape: tuple[int | None, ...], *parts: Any, dtype: str = "float32") -> Any:
    """Give a Sequential model."""
    return lively(keras.Sequential([keras.Input(shape, dtype=dtype), *parts]))


def noise(*shape: int, scale: float = 1.0) -> Callable[[np.random.Generator], Any]:
    """Give samples around zero."""
    return lambda rng: (rng.normal(size=(SAMPLES, *shape)) * scale).astype("float32")


def indices(most: int, *shape: int) -> Callable[[np.random.Generator], Any]:
    """Give samples of whole numbers."""
    return lambda rng: rng.integers(0, most, (SAMPLES, *shape)).astype("int32")


def words(rng: np.random.Generator) -> Any:
    """Give samples of text."""
    return rng.choice(np.array(["a", "b", "a b", "c"]), (SAMPLES, 1)).astype(object)


def padded(rng: np.random.Generator) -> Any:
    """Give sequences whose ends are zeros, of different lengths."""
    x = rng.normal(size=(SAMPLES, 6, 16)).astype("float32")
    x[np.arange(6) >= rng.integers(2, 7, SAMPLES)[:, None]] = 0.0
    return x


def recurrent(make: Callable[..., Any], unroll: bool, *before: Any) -> Callable[[], Any]:
    """Give a model with a recurrent layer."""
    return lambda: stack((6, 16), *before, make(unroll=unroll), layers.Dense(3))


def several() -> Any:
    """Two inputs of one shape and two outputs; swapping anything changes everything."""
    zebra, ant = keras.Input((12,), name="zebra"), keras.Input((12,), name="ant")
    x = layers.Dense(32, activation="relu")(layers.Concatenate()([10.0 * zebra, ant - 3.0]))
    outputs = [layers.Dense(4, name="wide")(x), layers.Dense(4, name="deep")(x * 3.0)]
    return lively(keras.Model([zebra, ant], outputs))


def dictionaries() -> Any:
    """The same with dicts."""
    model = several()
    zebra, ant = model.inputs
    wide, deep = model.outputs
    return keras.Model({"zebra": zebra, "ant": ant}, {"wide": wide, "deep": deep})


def two(rng: np.random.Generator) -> Any:
    """Give samples for two inputs, of different scales."""
    return {"zebra": noise(12)(rng), "ant": noise(12, scale=5.0)(rng)}


class Own(keras.Model):
    """A model without a graph of layers."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.top = layers.Dense(64, activation="relu"), layers.Dense(4)

    def call(self, x: Any, training: bool = False) -> Any:
        """Run it."""
        return self.top(self.hidden(x))


def own() -> Any:
    """Build it by a call."""
    model = Own()
    model(np.ones((1, 20), "float32"))
    return lively(model)


def nested() -> Any:
    """A model in a model, used twice."""
    inner = keras.Sequential([keras.Input((20,)), layers.Dense(64, activation="relu")])
    inputs = keras.Input((20,))
    return lively(keras.Model(inputs, layers.Dense(4)(inner(inputs) + inner(2.0 * inputs))))


def attention() -> Any:
    """Self-attention over a sequence."""
    inputs = keras.Input((6, 16))
    x = layers.MultiHeadAttention(2, 8)(inputs, inputs)
    return lively(keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x))))


def normalization() -> Any:
    """Normalization adapted to data that are far from zero."""
    layer = layers.Normalization()
    layer.adapt(noise(20)(np.random.default_rng(0)) * 7.0 + 3.0)
    return stack((20,), layer, layers.Dense(64, activation="relu"), layers.Dense(4))


def text(layer: Callable[[], Any], dtype: str = "string") -> Callable[[], Any]:
    """A lookup in front of an embedding."""
    return lambda: stack(
        (1,), layer(), layers.Embedding(9, 8), layers.Flatten(), layers.Dense(3), dtype=dtype
    )


def quantized() -> Any:
    """What `model.quantize` makes."""
    model = stack((20,), layers.Dense(64, activation="relu"), layers.Dense(4))
    model.quantize("int8")
    return model


def under(policy: str) -> Callable[[], Any]:
    """A convolutional network under a dtype policy."""

    def build() -> Any:
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            return image(layers.Conv2D(16, 3, activation="relu"), layers.BatchNormalization())
        finally:
            keras.config.set_dtype_policy(before)

    return build


def image(*parts: Any, shape: tuple[int | None, ...] = (8, 8, 4)) -> Any:
    """Something for images, with a head."""
    pool = {2: layers.GlobalAveragePooling1D, 3: layers.GlobalAveragePooling2D}
    head = pool.get(len(shape), layers.GlobalAveragePooling3D)
    return stack(shape, *parts, head(), layers.Dense(4, dtype="float32"))


IMAGES = noise(8, 8, 4)
ROWS = noise(20)
SEQUENCES = noise(6, 16)
VOCABULARY = ["a", "b", "c"]
RECURRENT: dict[str, Callable[..., Any]] = {
    "LSTM": lambda **how: layers.LSTM(24, **how),
    "GRU": lambda **how: layers.GRU(24, **how),
    "SimpleRNN": lambda **how: layers.SimpleRNN(24, **how),
    "Bidirectional": lambda **how: layers.Bidirectional(layers.LSTM(12, **how)),
}

KINDS: dict[str, Kind] = {
    "Dense": Kind(lambda: stack((20,), layers.Dense(64, activation="relu"), layers.Dense(4)), ROWS),
    "several inputs and outputs": Kind(several, two),
    "dict inputs and outputs": Kind(dictionaries, two),
    "subclassed": Kind(own, ROWS),
    "nested": Kind(nested, ROWS),
    "TimeDistributed": Kind(
        lambda: stack(
            (5, 20), layers.TimeDistributed(layers.Dense(64)), layers.Flatten(), layers.Dense(4)
        ),
        noise(5, 20),
    ),
    "Conv1D": Kind(lambda: image(layers.Conv1D(32, 3), shape=(8, 16)), noise(8, 16)),
    "Conv2D": Kind(lambda: image(layers.Conv2D(32, 3), layers.MaxPooling2D()), IMAGES),
    "Conv3D": Kind(lambda: image(layers.Conv3D(16, 3), shape=(4, 6, 6, 4)), noise(4, 6, 6, 4)),
    "separable": Kind(lambda: image(layers.SeparableConv2D(32, 3)), IMAGES),
    "depthwise": Kind(lambda: image(layers.DepthwiseConv2D(3, depth_multiplier=2)), IMAGES),
    "transpose": Kind(lambda: image(layers.Conv2DTranspose(32, 3, strides=2)), IMAGES),
    "grouped": Kind(lambda: image(layers.Conv2D(32, 3, groups=2)), IMAGES),
    "dilated": Kind(lambda: image(layers.Conv2D(32, 3, dilation_rate=2)), IMAGES),
    "BatchNorm": Kind(
        lambda: image(
            layers.Conv2D(32, 3, use_bias=False), layers.BatchNormalization(), layers.ReLU()
        ),
        IMAGES,
    ),
    "Dropout": Kind(
        lambda: image(layers.Conv2D(32, 3), layers.SpatialDropout2D(0.5), layers.Dropout(0.5)),
        IMAGES,
    ),
    "Normalization": Kind(normalization, lambda rng: ROWS(rng) * 7.0 + 3.0),
    "Rescaling": Kind(
        lambda: image(layers.Rescaling(1 / 64, offset=-1), layers.Conv2D(32, 3)),
        lambda rng: rng.random((SAMPLES, 8, 8, 4), "float32") * 128,
    ),
    "Resizing": Kind(lambda: image(layers.Resizing(6, 6), layers.Conv2D(32, 3)), IMAGES),
    "UpSampling": Kind(lambda: image(layers.UpSampling2D(), layers.Conv2D(32, 3)), IMAGES),
    "any height and width": Kind(
        lambda: image(layers.Conv2D(32, 3), layers.MaxPooling2D(), shape=(None, None, 4)), IMAGES
    ),
    **{
        f"{name}, unrolled": Kind(recurrent(make, True), SEQUENCES)
        for name, make in RECURRENT.items()
    },
    **{
        f"{name}, a loop, batch 1": Kind(recurrent(make, False), SEQUENCES, 1)
        for name, make in RECURRENT.items()
    },
    **{
        f"{name}, a loop, any batch": Kind(recurrent(make, False), SEQUENCES)
        for name, make in RECURRENT.items()
    },
    "Masking, unrolled LSTM": Kind(recurrent(RECURRENT["LSTM"], True, layers.Masking()), padded),
    "MultiHeadAttention": Kind(attention, SEQUENCES),
    "LayerNorm": Kind(
        lambda: stack((20,), layers.Dense(64), layers.LayerNormalization(), layers.Dense(4)), ROWS
    ),
    "GELU": Kind(lambda: stack((20,), layers.Dense(64, activation="gelu"), layers.Dense(4)), ROWS),
    "Embedding": Kind(
        lambda: stack(
            (7,), layers.Embedding(50, 24), layers.Flatten(), layers.Dense(4), dtype="int32"
        ),
        indices(50, 7),
    ),
    "MaxPool3D": Kind(lambda: image(layers.MaxPooling3D(2), shape=(4, 6, 6, 4)), noise(4, 6, 6, 4)),
    "Hashing": Kind(text(lambda: layers.Hashing(8), "int64"), indices(50, 1)),
    "StringLookup": Kind(text(lambda: layers.StringLookup(vocabulary=VOCABULARY)), words),
    "TextVectorization": Kind(
        text(lambda: layers.TextVectorization(vocabulary=VOCABULARY, output_sequence_length=4)),
        words,
    ),
    "quantized by Keras": Kind(quantized, ROWS),
    **{
        policy: Kind(under(policy), IMAGES)
        for policy in ("mixed_float16", "mixed_bfloat16", "float16")
    },
}
