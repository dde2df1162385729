"""Small models of every shape that a graph can have. Each function builds a fresh one."""

import keras
import numpy as np
from keras import layers


@keras.saving.register_keras_serializable(package="tests")
class WithStep(keras.Model):
    """A Functional subclass with a train step of its own and an argument of its own."""

    def __init__(self, *args, strength=1.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.strength = strength
        self.steps_taken = 0

    def train_step(self, data):
        self.steps_taken += 1
        logs = super().train_step(data)
        return {**logs, "mine": self.strength * 7.0}

    def get_config(self):
        return {**super().get_config(), "strength": self.strength}


class Subclassed(keras.Model):
    """A model without a graph: only its code knows how its layers are connected."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(2)

    def call(self, x):
        return self.dense(x)


def subclassed():
    model = Subclassed()
    model(np.ones((1, 3), "float32"))
    return model


def sequential():
    return keras.Sequential(
        [
            keras.Input((6,), name="given"),
            layers.Dense(5, activation="relu", name="first"),
            layers.BatchNormalization(name="norm"),
            layers.Dense(3, name="last"),
        ],
        name="stack",
    )


def skips():
    x = keras.Input((8, 8, 3), name="image")
    y = layers.Conv2D(4, 3, padding="same", name="conv_a")(x)
    y = layers.BatchNormalization(name="norm_a")(y)
    y = layers.ReLU(name="relu_a")(y)
    z = layers.Conv2D(4, 3, padding="same", name="conv_b")(y)
    y = layers.Add(name="add")([y, z])
    y = layers.MaxPooling2D(name="pool")(y)
    y = layers.Flatten(name="flat")(y)
    y = layers.Dense(7, activation="relu", name="hidden")(y)
    return keras.Model(x, layers.Dense(2, name="top")(y), name="skips")


def with_step():
    x = keras.Input((6,), name="x")
    y = layers.Dense(5, activation="relu", name="hidden")(x)
    return WithStep(x, layers.Dense(2, name="top")(y), name="mine", strength=3.0)


def nested():
    a = keras.Input((6,), name="deepest_in")
    deepest = keras.Sequential(
        [keras.Input((5,)), layers.Dense(4, activation="relu", name="d1"), layers.Dense(5)],
        name="deepest",
    )
    b = layers.Dense(5, activation="relu", name="inner_dense")(a)
    inner = keras.Model(a, deepest(b), name="inner")
    x = keras.Input((6,), name="x")
    y = inner(x)
    y = layers.Dense(4, activation="relu", name="outer_dense")(y)
    return keras.Model(x, layers.Dense(2, name="top")(y), name="outer")


def functional_in_sequential():
    a = keras.Input((6,), name="a")
    inner = keras.Model(
        a, layers.Add(name="sum")([layers.Dense(6, name="dense")(a), a]), name="block"
    )
    return keras.Sequential([keras.Input((6,)), inner, layers.Dense(2, name="top")], name="seq")


def shared():
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    tower = layers.Dense(5, activation="relu", name="tower")
    y = layers.Concatenate(name="both")([tower(a), tower(b)])
    return keras.Model([a, b], layers.Dense(2, name="top")(y), name="siamese")


def shared_model():
    tower = keras.Sequential(
        [keras.Input((6,)), layers.Dense(5, activation="relu", name="t1"), layers.Dense(3)],
        name="tower",
    )
    a, b = keras.Input((6,), name="a"), keras.Input((6,), name="b")
    y = layers.Subtract(name="difference")([tower(a), tower(b)])
    return keras.Model([a, b], layers.Dense(1, name="top")(y), name="twins")


def two_in_two_out():
    a, b = keras.Input((6,), name="left"), keras.Input((4,), name="right")
    y = layers.Concatenate(name="join")([layers.Dense(5, activation="relu", name="l")(a), b])
    y = layers.Dense(5, activation="relu", name="trunk")(y)
    outputs = {
        "price": layers.Dense(1, name="price")(y),
        "kind": layers.Dense(3, activation="softmax", name="kind")(y),
    }
    model = keras.Model({"left": a, "right": b}, outputs, name="pairs")
    model.compile(
        keras.optimizers.SGD(0.01, momentum=0.9),
        loss={"price": "mse", "kind": "sparse_categorical_crossentropy"},
        loss_weights={"price": 0.5, "kind": 1.0},
        metrics={"kind": ["accuracy"]},
    )
    return model


def operations():
    x = keras.Input((6,), name="x")
    y = layers.Dense(5, name="hidden")(x)
    y = keras.ops.relu(y) * 2.0
    y = keras.ops.concatenate([y, x[:, :2]], axis=-1)
    return keras.Model(x, layers.Dense(2, name="top")(y), name="with_ops")


def lambdas():
    factor = np.float32(2.0)
    x = keras.Input((6,), name="x")
    y = layers.Lambda(lambda t: keras.ops.tanh(t) * factor, name="scaled")(x)
    y = layers.Dense(5, activation=lambda t: keras.ops.relu(t) + factor, name="hidden")(y)
    y = layers.Reshape((5, 1), name="reshape")(y)
    y = layers.TimeDistributed(layers.Lambda(lambda t: t - factor, name="less"), name="times")(y)
    y = layers.Flatten(name="flat")(y)
    return keras.Model(x, layers.Dense(2, name="top")(y), name="lambdas")


def masked():
    x = keras.Input((7,), dtype="int32", name="words")
    y = layers.Embedding(11, 4, mask_zero=True, name="embed")(x)
    y = layers.Bidirectional(layers.LSTM(3, return_sequences=True), name="both_ways")(y)
    y, _, _ = layers.LSTM(4, return_state=True, name="lstm")(y)
    return keras.Model(x, layers.Dense(2, name="top")(y), name="masked")


def attention():
    x = keras.Input((5, 8), name="x")
    y = layers.LayerNormalization(name="norm")(x)
    y = layers.MultiHeadAttention(2, 4, name="attend")(y, y, use_causal_mask=True)
    y = layers.Add(name="add")([x, y])
    y = layers.Dense(6, activation="gelu", name="hidden")(y)
    y = layers.GlobalAveragePooling1D(name="pool")(y)
    return keras.Model(x, layers.Dense(2, name="top")(y), name="attention")


def mixed():
    x = keras.Input((6,), name="x")
    y = layers.Dense(5, activation="relu", dtype="mixed_float16", name="half")(x)
    y = layers.BatchNormalization(dtype="mixed_float16", name="norm")(y)
    return keras.Model(x, layers.Dense(2, dtype="float32", name="top")(y), name="mixed")


def frozen():
    model = nested()
    model.get_layer("inner").trainable = False
    model.get_layer("inner").get_layer("inner_dense").trainable = True
    return model


def unusual():
    rng = np.random.default_rng(0)
    x = keras.Input((6,), name="x")
    norm = layers.Normalization(name="standardize")
    norm.build((None, 6))
    norm.adapt(rng.normal(2.0, 3.0, (50, 6)).astype("float32"))
    y = norm(x)
    y = layers.Dropout(0.2, seed=3, name="drop")(y)
    y = layers.GaussianNoise(0.1, name="noise")(y)
    y = layers.UnitNormalization(name="unit")(y)
    return keras.Model(x, [layers.Dense(2, name="top")(y)], name="unusual")


def transfer():
    augment = keras.Sequential([layers.RandomFlip("horizontal", name="flip")], name="augment")
    a = keras.Input((8, 8, 3), name="a")
    b = layers.BatchNormalization(name="norm")(layers.Conv2D(4, 3, name="conv")(a))
    base = keras.Model(a, layers.MaxPooling2D(name="inner_pool")(b), name="base")
    base.trainable = False
    x = keras.Input((8, 8, 3), name="x")
    y = base(augment(x) / 127.5 - 1.0, training=False)
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    return keras.Model(x, layers.Dense(2, activation="softmax", name="top")(y), name="transfer")


ALL = [
    sequential,
    skips,
    with_step,
    nested,
    functional_in_sequential,
    shared,
    shared_model,
    two_in_two_out,
    operations,
    lambdas,
    masked,
    attention,
    mixed,
    frozen,
    unusual,
    transfer,
]


def scrambled(model, seed=0):
    """Give the model with other weights than fresh ones, moving averages included."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if variable.name in ("mean", "variance", "count"):
            continue  # of a Normalization, which holds constants made from them
        value = rng.uniform(0.1, 1.0, variable.shape).astype("float32")
        variable.assign(value)
    return model


def batch(model, size=4, seed=0):
    """Give inputs of the model's structure."""
    rng = np.random.default_rng(seed)

    def values(tensor):
        shape = [size if n is None else n for n in tensor.shape]
        if "int" in tensor.dtype:
            return rng.integers(0, 5, shape)
        if tensor.dtype == "bool":
            return np.arange(shape[-1]) < np.full(shape, 3)
        if tensor.dtype == "string":
            return keras.ops.convert_to_tensor(rng.choice(["a b", "c", "b"], shape).tolist())
        return rng.normal(size=shape).astype(tensor.dtype)

    if isinstance(model, keras.Sequential):
        return values(model.inputs[0])
    return keras.tree.map_structure(values, model.input)


def results(model, inputs, training=False):
    outputs = keras.tree.flatten(model(inputs, training=training))
    return [keras.ops.convert_to_numpy(output) for output in outputs]
