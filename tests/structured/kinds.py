"""A small model for every kind of layer that channels go through."""

import keras
from keras import layers, ops


def image(*between, filters=8, size=(6, 6), data_format=None, top=True):
    """A convolution, some layers, and a head."""
    shape = (3, *size) if data_format == "channels_first" else (*size, 3)
    x = keras.Input(shape)
    y = layers.Conv2D(filters, 3, padding="same", data_format=data_format, name="first")(x)
    for one in between:
        y = one(y)
    y = layers.Flatten(name="flat")(y)
    return keras.Model(x, layers.Dense(2, name="top")(y) if top else y)


def series(*between, units=8):
    x = keras.Input((7, 3))
    y = layers.Conv1D(units, 3, padding="same", activation="relu", name="first")(x)
    for one in between:
        y = one(y)
    return keras.Model(x, layers.Dense(2, name="top")(layers.Flatten(name="flat")(y)))


def volume(*between):
    x = keras.Input((4, 4, 4, 2))
    y = layers.Conv3D(8, 3, padding="same", name="first")(x)
    for one in between:
        y = one(y)
    return keras.Model(x, layers.Dense(2, name="top")(layers.Flatten(name="flat")(y)))


def table(*between, units=12):
    x = keras.Input((5,))
    y = layers.Dense(units, activation="relu", name="first")(x)
    for one in between:
        y = one(y)
    return keras.Model(x, layers.Dense(2, name="top")(y))


def residual(y):
    z = layers.Conv2D(8, 3, padding="same", activation="relu", name="branch")(y)
    return layers.Add(name="add")([y, z])


def dense_connections(y):
    for number in range(3):
        z = layers.BatchNormalization(name=f"norm_{number}")(y)
        z = layers.Conv2D(4, 3, padding="same", activation="relu", name=f"grow_{number}")(z)
        y = layers.Concatenate(name=f"join_{number}")([y, z])
    return y


def squeeze_and_excite(y):
    z = layers.GlobalAveragePooling2D(name="squeeze")(y)
    z = layers.Reshape((1, 1, 8), name="reshape")(z)
    z = layers.Conv2D(4, 1, activation="relu", name="reduce")(z)
    z = layers.Conv2D(8, 1, activation="sigmoid", name="expand")(z)
    return layers.Multiply(name="scale")([y, z])


def shuffled(y):
    y = layers.Reshape((6, 6, 2, 4), name="apart")(y)
    y = layers.Permute((1, 2, 4, 3), name="swap")(y)
    y = layers.Reshape((6, 6, 8), name="together")(y)
    return layers.Conv2D(4, 1, name="mixed")(y)


def sliced(y):
    left = layers.Conv2D(4, 1, name="left")(y[..., :3])
    right = layers.Conv2D(4, 1, name="right")(y[:, :, :, 3:])
    return ops.relu(left) + right * 2.0


def towers():
    tower = layers.Dense(8, activation="relu", name="tower")
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    y = layers.Concatenate(name="both")([tower(a), tower(b)])
    return keras.Model([a, b], layers.Dense(2, name="top")(y))


def tower_models():
    inner = keras.Sequential(
        [
            keras.Input((5,)),
            layers.Dense(8, activation="relu", name="in_1"),
            layers.Dense(6, activation="tanh", name="in_2"),
        ],
        name="tower",
    )
    a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
    y = layers.Subtract(name="apart")([inner(a), inner(b)])
    return keras.Model([a, b], layers.Dense(1, name="top")(y))


def towers_behind_layers():
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(8, name="in_1")], name="tower")
    a, b = keras.Input((5,), name="a"), keras.Input((4,), name="b")
    one, other = layers.Dense(6, name="left")(a), layers.Dense(6, name="right")(b)
    y = layers.Multiply(name="times")([inner(one), inner(other)])
    return keras.Model([a, b], layers.Dense(1, name="top")(y))


def nested():
    a = keras.Input((8, 8, 6), name="inner_in")
    z = layers.Conv2D(8, 3, padding="same", activation="relu", name="inner_conv")(a)
    inner = keras.Model(a, layers.Add(name="sum")([layers.Conv2D(6, 1, name="back")(z), a]))
    x = keras.Input((8, 8, 3))
    y = inner(layers.Conv2D(6, 3, padding="same", name="first")(x))
    return keras.Model(x, layers.Dense(2, name="top")(layers.GlobalMaxPooling2D(name="pool")(y)))


def attention():
    x = keras.Input((6, 8))
    y = layers.Dense(12, name="first")(x)
    z = layers.MultiHeadAttention(4, 3, name="attend")(y, y)
    y = layers.Add(name="add")([y, z])
    return keras.Model(x, layers.Dense(2, name="top")(layers.GlobalAveragePooling1D(name="p")(y)))


def cross_attention():
    x, z = keras.Input((6, 8), name="query"), keras.Input((4, 5), name="memory")
    y = layers.MultiHeadAttention(4, 3, value_dim=2, use_bias=False, name="attend")(
        layers.Dense(12, name="first")(x), layers.Dense(10, name="second")(z)
    )
    return keras.Model([x, z], layers.Dense(2, name="top")(layers.Flatten(name="flat")(y)))


def narrow_attention():
    x = keras.Input((6, 8))
    y = layers.Dense(12, name="first")(x)
    z = layers.MultiHeadAttention(4, 3, name="attend")(y, y)
    z = layers.LayerNormalization(name="norm")(z)
    return keras.Model(x, layers.Dense(2, name="top")(layers.Flatten(name="flat")(z)))


def called_with_a_dict():
    a, b = keras.Input((5,), name="z"), keras.Input((5,), name="a")
    one, other = layers.Dense(4, name="ia")(a), layers.Dense(4, name="ib")(b)
    inner = keras.Model([a, b], layers.Add(name="sum")([one, other]), name="inner")
    x = keras.Input((3,))
    given = {"z": layers.Dense(5, name="p")(x), "a": layers.Dense(5, name="q")(x)}
    return keras.Model(x, layers.Dense(2, name="top")(inner(given)))


def shared_reshape():
    shape = layers.Reshape((2, 8), name="shape")
    norm = layers.GroupNormalization(4, scale=False, center=False, name="norm")
    a, b = keras.Input((5,), name="a"), keras.Input((4,), name="b")
    parts = []
    for name, x in (("p", a), ("q", b)):
        y = norm(shape(layers.Dense(16, name=name)(x)))
        parts.append(layers.Dense(3, name=f"{name}_end")(layers.Flatten(name=f"{name}_flat")(y)))
    return keras.Model([a, b], layers.Dense(2, name="top")(layers.Concatenate(name="c")(parts)))


def slices_apart(y):
    one, other = layers.UpSampling2D(2, interpolation="bilinear", name="up"), y[..., 2:]
    y = layers.Concatenate(name="both")([one(y[..., :2]), layers.UpSampling2D(2, name="o")(other)])
    return layers.GlobalMaxPooling2D(name="pool")(y)


def mixer():
    x = keras.Input((6, 4))
    y = layers.Dense(12, name="first")(x)
    z = layers.Permute((2, 1), name="turn")(y)
    z = layers.Dense(10, activation="gelu", name="tokens")(z)
    z = layers.Permute((2, 1), name="back")(layers.Dense(6, name="again")(z))
    y = layers.BatchNormalization(name="norm")(layers.Add(name="add")([y, z]))
    return keras.Model(x, layers.Dense(2, name="top")(layers.Flatten(name="flat")(y)))


def words(*between):
    x = keras.Input((7,), dtype="int32")
    y = layers.Embedding(11, 8, name="first")(x)
    for one in between:
        y = one(y)
    return keras.Model(x, layers.Dense(2, name="top")(layers.Flatten(name="flat")(y)))


def states():
    x = keras.Input((7, 3))
    y, h, c = layers.LSTM(8, return_state=True, return_sequences=True, name="encoder")(x)
    z = layers.LSTM(8, name="decoder")(y, initial_state=[h, c])
    return keras.Model(x, layers.Dense(2, name="top")(z))


def generator():
    x = keras.Input((5,))
    y = layers.Dense(4 * 4 * 6, activation="relu", name="first")(x)
    y = layers.Reshape((4, 4, 6), name="picture")(y)
    y = layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu", name="up")(y)
    return keras.Model(x, layers.Conv2D(1, 3, padding="same", name="top")(y))


def operations():
    x = keras.Input((6, 6, 3))
    y = layers.Conv2D(8, 3, padding="same", name="first")(x)
    y = ops.silu(y) * 0.5 + 1.0
    z = ops.mean(y, axis=(1, 2), keepdims=True)
    y = ops.maximum(y - z, 0.0)
    y = ops.concatenate([y, ops.expand_dims(ops.squeeze(z, axis=1), axis=1) + 0.0 * y], axis=-1)
    y = ops.transpose(y, (0, 3, 1, 2))
    y = ops.reshape(ops.transpose(y, (0, 2, 3, 1)), (-1, 36, 16))
    return keras.Model(x, layers.Dense(2, name="top")(ops.max(y, axis=1)))


L = layers
KINDS = {
    "Dense": lambda: table(L.Dense(8, activation="relu", name="second")),
    "Dense in time": lambda: series(L.Dense(8, activation="relu", name="second")),
    "EinsumDense": lambda: series(L.EinsumDense("btc,cd->btd", (7, 8), bias_axes="d", name="e")),
    "EinsumDense, several axes": lambda: series(
        L.EinsumDense("btc,chd->bthd", (7, 4, 5), bias_axes="hd", name="e"),
        L.EinsumDense("bthd,hdk->btk", (7, 6), bias_axes="k", name="f"),
    ),
    "EinsumDense, ellipsis": lambda: series(
        L.EinsumDense("...x,xy->...y", 6, bias_axes="y", activation="relu", name="e")
    ),
    "EinsumDense, by channel": lambda: table(
        L.EinsumDense("bc,c->bc", 12, name="e"), L.Dense(8, name="f")
    ),
    "Conv1D": lambda: series(L.Conv1D(8, 3, strides=2, name="second")),
    "Conv1D causal": lambda: series(L.Conv1D(8, 3, padding="causal", name="second")),
    "Conv2D": lambda: image(L.Conv2D(8, 3, dilation_rate=2, name="second")),
    "Conv3D": lambda: volume(L.Conv3D(4, 2, name="second")),
    "channels first": lambda: image(
        L.BatchNormalization(axis=1, name="norm"),
        L.ReLU(name="relu"),
        L.ZeroPadding2D(1, data_format="channels_first", name="pad"),
        L.Cropping2D(1, data_format="channels_first", name="crop"),
        # Keras adds the bias to the wrong axis where there are as many filters as columns.
        size=(9, 10),
        data_format="channels_first",
    ),
    "grouped, many": lambda: image(L.Conv2D(16, 3, groups=8, name="second")),
    "grouped, few": lambda: image(L.Conv2D(12, 3, groups=2, name="second")),
    "Conv1DTranspose": lambda: series(L.Conv1DTranspose(6, 3, strides=2, name="second")),
    "Conv2DTranspose": lambda: image(L.Conv2DTranspose(6, 3, strides=2, name="second")),
    "Conv3DTranspose": lambda: volume(L.Conv3DTranspose(4, 2, name="second")),
    "DepthwiseConv1D": lambda: series(L.DepthwiseConv1D(3, depth_multiplier=2, name="second")),
    "DepthwiseConv2D": lambda: image(
        L.DepthwiseConv2D(3, depth_multiplier=2, activation="relu", name="second"),
        L.Conv2D(6, 1, name="third"),
    ),
    "SeparableConv1D": lambda: series(L.SeparableConv1D(8, 3, name="second")),
    "SeparableConv2D": lambda: image(L.SeparableConv2D(8, 3, depth_multiplier=2, name="second")),
    "BatchNormalization": lambda: image(L.BatchNormalization(name="norm"), L.ReLU(name="relu")),
    "BatchNormalization, no scale": lambda: image(L.BatchNormalization(scale=False, name="norm")),
    "GroupNormalization": lambda: image(L.GroupNormalization(4, name="norm")),
    "instance normalization": lambda: image(L.GroupNormalization(-1, name="norm")),
    "LayerNormalization, of what stays": lambda: series(
        L.Dense(12, activation="gelu", name="second"),
        L.Dense(6, name="third"),
        L.LayerNormalization(name="norm"),
    ),
    "LayerNormalization over time": lambda: series(L.LayerNormalization(axis=1, name="norm")),
    "PReLU": lambda: image(L.PReLU(name="slopes")),
    "PReLU, shared": lambda: image(L.PReLU(shared_axes=[1, 2], name="slopes")),
    "activations": lambda: table(
        L.Activation("sigmoid", name="a"),
        L.LeakyReLU(name="b"),
        L.ELU(name="c"),
        L.Activation(keras.activations.mish, name="d"),
        L.Rescaling(2.0, 1.0, name="e"),
        L.Identity(name="f"),
        L.GaussianNoise(0.1, name="g"),
        L.AlphaDropout(0.1, name="h"),
    ),
    "dropouts": lambda: image(
        L.Dropout(0.2, name="a"),
        L.SpatialDropout2D(0.2, name="b"),
        L.GaussianDropout(0.1, name="c"),
    ),
    "pooling": lambda: image(
        L.MaxPooling2D(padding="same", name="a"),
        L.UpSampling2D(name="b"),
        L.AveragePooling2D(3, strides=1, name="c"),
    ),
    "pooling of series": lambda: series(
        L.MaxPooling1D(2, name="a"), L.UpSampling1D(2, name="b"), L.AveragePooling1D(2, name="c")
    ),
    "global pooling": lambda: image(L.GlobalAveragePooling2D(keepdims=True, name="pool")),
    "global pooling of series": lambda: series(L.GlobalMaxPooling1D(name="pool")),
    "global pooling, channels first": lambda: image(
        L.GlobalMaxPooling2D(data_format="channels_first", name="pool"),
        size=(9, 10),
        data_format="channels_first",
    ),
    "softmax over places": lambda: series(L.Softmax(axis=1, name="over")),
    "Permute": lambda: image(L.Permute((3, 1, 2), name="turn")),
    "Reshape": lambda: image(L.Reshape((36, 8), name="shape"), L.Conv1D(6, 1, name="second")),
    "RepeatVector": lambda: table(L.RepeatVector(3, name="more"), L.LSTM(6, name="lstm")),
    "a picture from a vector": generator,
    "shuffled channels": lambda: image(shuffled),
    "sliced channels": lambda: image(sliced),
    "Add": lambda: image(residual),
    "Concatenate": lambda: image(dense_connections),
    "Multiply": lambda: image(squeeze_and_excite),
    "a shared layer": towers,
    "a shared model": tower_models,
    "a shared model behind layers": towers_behind_layers,
    "a nested model": nested,
    "SimpleRNN": lambda: series(L.SimpleRNN(6, name="rnn")),
    "LSTM": lambda: series(L.LSTM(6, return_sequences=True, name="rnn")),
    "GRU": lambda: series(L.GRU(6, name="rnn")),
    "GRU, reset before": lambda: series(L.GRU(6, reset_after=False, name="rnn")),
    "LSTM, states handed on": states,
    "ConvLSTM1D": lambda: keras.Sequential(
        [
            keras.Input((4, 6, 2)),
            L.TimeDistributed(L.Conv1D(6, 3, padding="same", name="conv"), name="first"),
            L.ConvLSTM1D(5, 3, padding="same", name="rnn"),
            L.Flatten(name="flat"),
            L.Dense(2, name="top"),
        ]
    ),
    "Bidirectional": lambda: series(
        L.Bidirectional(L.LSTM(6, return_sequences=True), name="both"),
        L.Bidirectional(L.GRU(4), merge_mode="sum", name="sum"),
        L.Dense(5, name="second"),
    ),
    "Bidirectional, a backward layer": lambda: series(
        L.Bidirectional(L.LSTM(6), backward_layer=L.LSTM(6, go_backwards=True), name="both")
    ),
    "attention": attention,
    "cross attention": cross_attention,
    "attention whose width stays": narrow_attention,
    "a nested model called with a dict": called_with_a_dict,
    "a shared Reshape and normalization": shared_reshape,
    "slices that meet again": lambda: image(slices_apart),
    "a mixer of tokens": mixer,
    "Embedding": lambda: words(L.Conv1D(6, 3, name="second")),
    "Embedding, masked": lambda: keras.Sequential(
        [
            keras.Input((7,), dtype="int32"),
            L.Embedding(11, 8, mask_zero=True, name="first"),
            L.LSTM(6, name="rnn"),
            L.Dense(2, name="top"),
        ]
    ),
    "TimeDistributed": lambda: keras.Sequential(
        [
            keras.Input((4, 6, 6, 3)),
            L.TimeDistributed(L.Conv2D(8, 3, name="conv"), name="first"),
            L.TimeDistributed(L.BatchNormalization(name="n"), name="norm"),
            L.TimeDistributed(L.GlobalAveragePooling2D(name="p"), name="pool"),
            L.GRU(6, name="rnn"),
            L.Dense(2, name="top"),
        ]
    ),
    "operations": operations,
}
