"""Make a model of each kind of layer with Keras 2, and what `kerasopt.migrate` writes of it.

`python kinds.py FOLDER`: FOLDER/KIND.h5 or KIND.keras, FOLDER/KIND/model.h5 and check.npz.
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tf_keras
from tf_keras import layers as L  # noqa: N812

from kerasopt.migrate import child

I = L.Input  # noqa: E741
S, M, V = (8, 5), (8, 8, 3), (4, 6, 6, 2)


def seq(shape, *ls, **how):
    return tf_keras.Sequential([I(shape, **how), *ls])


def two(f, a=(6,), b=(6,)):
    x, y = I(a), I(b)
    return tf_keras.Model([x, y], f(x, y))


def adapted():
    layer = L.Normalization()
    layer.adapt(np.random.default_rng(0).random((20, 6)).astype("float32"))
    return seq((6,), layer)


def with_state():
    x, s = I(S), I((5,))
    return tf_keras.Model([x, s], L.LSTM(5)(x, initial_state=[s, s]))


def shared():
    inside, a, b = tf_keras.Sequential([L.Dense(3)]), I((6,)), I((6,))
    return tf_keras.Model([a, b], L.Add()([inside(a), inside(b)]))


def functional():
    """Models within a model: one called twice, one an output, one with two inputs and outputs."""
    a, b, x = I((6,)), I((6,)), I((6,))
    deep = tf_keras.Model(a, L.Dense(6)(tf_keras.Model(a, L.Dense(6, "relu")(a))(a)))
    pair = tf_keras.Model([a, b], [L.Dense(2)(a), L.Add()([a, b])])
    first, second = pair([deep(x), x])
    return tf_keras.Model(x, [deep(deep(x)), L.Concatenate()([L.Dense(3)(first), second])])


def one_output():
    inside, x = tf_keras.Sequential([I((6,)), L.Dense(3)]), I((6,))
    return tf_keras.Model(x, inside(x))


def words():
    layer = L.TextVectorization(output_sequence_length=4)
    layer.adapt(np.array(["b a", "a c"]))
    return seq((1,), layer, L.Embedding(6, 2), dtype="string")


def with_objects():
    model = functional()
    schedule = tf_keras.optimizers.schedules.CosineDecay(0.125, 100)
    model.compile(
        tf_keras.optimizers.SGD(schedule, momentum=0.5),
        [tf_keras.losses.Huber(2.0), tf_keras.losses.CategoricalCrossentropy(label_smoothing=0.1)],
        metrics=[["mae"], [tf_keras.metrics.AUC()]],
    )
    model.fit(np.ones((4, 6)), [np.ones((4, 6)), np.ones((4, 9))], verbose=0)
    return model


def states():
    x = I(S)
    return tf_keras.Model(x, L.LSTM(3, return_state=True, return_sequences=True)(x))


def operation():
    x = I((6,))
    return tf_keras.Model(x, x * 2.0 + 1.0)


def compiled():
    model = seq((6,), L.Dense(3, "hard_sigmoid"))
    model.compile("adam", "mse", metrics=["mae"])
    model.fit(np.ones((4, 6)), np.ones((4, 3)), verbose=0)
    return model


KINDS = {
    "Activation": lambda: seq((6,), L.Activation("swish")),
    "ActivityRegularization": lambda: seq((6,), L.ActivityRegularization(0.1)),
    "Add": lambda: two(lambda a, b: L.Add()([a, b])),
    "AdditiveAttention": lambda: two(lambda a, b: L.AdditiveAttention()([a, b]), S, S),
    "AlphaDropout": lambda: seq((6,), L.AlphaDropout(0.1)),
    "Attention": lambda: two(lambda a, b: L.Attention(use_scale=True)([a, b]), S, S),
    "Average": lambda: two(lambda a, b: L.Average()([a, b])),
    "AveragePooling1D": lambda: seq(S, L.AveragePooling1D()),
    "AveragePooling2D": lambda: seq(M, L.AveragePooling2D()),
    "AveragePooling3D": lambda: seq(V, L.AveragePooling3D()),
    "BatchNormalization": lambda: seq(M, L.BatchNormalization()),
    "BidirectionalLSTM": lambda: seq(S, L.Bidirectional(L.LSTM(3))),
    "BidirectionalGRU": lambda: seq(
        S, L.Bidirectional(L.GRU(3, return_sequences=True), merge_mode="sum")
    ),
    "BidirectionalTwo": lambda: seq(
        S, L.Bidirectional(L.LSTM(3), backward_layer=L.GRU(3, go_backwards=True))
    ),
    "BidirectionalRNN": lambda: seq(S, L.Bidirectional(L.SimpleRNN(3))),
    "CategoryEncoding": lambda: seq(
        (1,), L.CategoryEncoding(num_tokens=4, output_mode="one_hot"), dtype="int64"
    ),
    "CenterCrop": lambda: seq(M, L.CenterCrop(4, 4)),
    "Concatenate": lambda: two(lambda a, b: L.Concatenate()([a, b])),
    "Conv1D": lambda: seq(S, L.Conv1D(4, 3)),
    "Conv1DTranspose": lambda: seq(S, L.Conv1DTranspose(4, 3)),
    "Conv2D": lambda: seq((8, 8, 4), L.Conv2D(4, 3, groups=2, dilation_rate=2)),
    "Conv2DTranspose": lambda: seq(M, L.Conv2DTranspose(4, 3, strides=2)),
    "Conv2DTransposeOutput": lambda: seq(M, L.Conv2DTranspose(4, 3, strides=2, output_padding=1)),
    "Conv3D": lambda: seq(V, L.Conv3D(4, 3)),
    "Conv3DTranspose": lambda: seq(V, L.Conv3DTranspose(4, 3)),
    "ConvLSTM1D": lambda: seq((4, 6, 2), L.ConvLSTM1D(3, 3)),
    "ConvLSTM2D": lambda: seq((4, 6, 6, 2), L.ConvLSTM2D(3, 3)),
    "ConvLSTM3D": lambda: seq((3, 4, 4, 4, 2), L.ConvLSTM3D(2, 3)),
    "Cropping1D": lambda: seq(S, L.Cropping1D()),
    "Cropping2D": lambda: seq(M, L.Cropping2D()),
    "Cropping3D": lambda: seq((6, 6, 6, 1), L.Cropping3D()),
    "Dense": lambda: seq(
        (6,), L.Dense(4, "relu", kernel_regularizer="l2", kernel_constraint="max_norm")
    ),
    "DepthwiseConv1D": lambda: seq(S, L.DepthwiseConv1D(3)),
    "DepthwiseConv2D": lambda: seq(M, L.DepthwiseConv2D(3, depth_multiplier=2)),
    "Discretization": lambda: seq((6,), L.Discretization([0.0, 0.5])),
    "Dot": lambda: two(lambda a, b: L.Dot(1)([a, b])),
    "Dropout": lambda: seq((6,), L.Dropout(0.1)),
    "ELU": lambda: seq((6,), L.ELU()),
    "EinsumDense": lambda: seq(
        S, L.EinsumDense("abc,cd->abd", output_shape=(None, 4), bias_axes="d")
    ),
    "Embedding": lambda: seq((6,), L.Embedding(4, 3, input_length=6)),
    "EmbeddingMask": lambda: seq((6,), L.Embedding(4, 3, mask_zero=True), L.LSTM(3)),
    "Flatten": lambda: seq(M, L.Flatten()),
    "GRU": lambda: seq(S, L.GRU(3)),
    "GRUNoReset": lambda: seq(S, L.GRU(3, reset_after=False)),
    "GaussianDropout": lambda: seq((6,), L.GaussianDropout(0.1)),
    "GaussianNoise": lambda: seq((6,), L.GaussianNoise(0.1)),
    "GlobalAveragePooling1D": lambda: seq(S, L.GlobalAveragePooling1D()),
    "GlobalAveragePooling2D": lambda: seq(M, L.GlobalAveragePooling2D(keepdims=True)),
    "GlobalAveragePooling3D": lambda: seq(V, L.GlobalAveragePooling3D()),
    "GlobalMaxPooling1D": lambda: seq(S, L.GlobalMaxPooling1D()),
    "GlobalMaxPooling2D": lambda: seq(M, L.GlobalMaxPooling2D()),
    "GlobalMaxPooling3D": lambda: seq(V, L.GlobalMaxPooling3D()),
    "GroupNormalization": lambda: seq((8, 8, 4), L.GroupNormalization(2)),
    "Hashing": lambda: seq((1,), L.Hashing(5), dtype="int64"),
    "Identity": lambda: seq((6,), L.Identity()),
    "IntegerLookup": lambda: seq((1,), L.IntegerLookup(vocabulary=[0, 1]), dtype="int64"),
    "LSTM": lambda: seq(S, L.LSTM(3)),
    "LSTMStateful": lambda: tf_keras.Sequential(
        [I((8, 5), batch_size=4), L.LSTM(3, stateful=True)]
    ),
    "LSTMState": states,
    "LSTMInit": with_state,
    "LSTMUnroll": lambda: seq(S, L.LSTM(3, unroll=True)),
    "LayerNormalization": lambda: seq((6,), L.LayerNormalization()),
    "LeakyReLU": lambda: seq((6,), L.LeakyReLU(alpha=0.2)),
    "Masking": lambda: seq(S, L.Masking(), L.LSTM(3)),
    "MaxPooling1D": lambda: seq(S, L.MaxPooling1D()),
    "MaxPooling2D": lambda: seq(M, L.MaxPooling2D()),
    "MaxPooling3D": lambda: seq(V, L.MaxPooling3D()),
    "Maximum": lambda: two(lambda a, b: L.Maximum()([a, b])),
    "Minimum": lambda: two(lambda a, b: L.Minimum()([a, b])),
    "MultiHeadAttention": lambda: two(lambda a, b: L.MultiHeadAttention(2, 3)(a, b), S, S),
    "Multiply": lambda: two(lambda a, b: L.Multiply()([a, b])),
    "Normalization": lambda: seq((6,), L.Normalization(mean=0.5, variance=2.0)),
    "NormalizationAdapted": adapted,
    "PReLU": lambda: seq(M, L.PReLU(shared_axes=[1, 2])),
    "Permute": lambda: seq(S, L.Permute((2, 1))),
    "RNNCells": lambda: seq(S, L.RNN([L.LSTMCell(3), L.GRUCell(3), L.SimpleRNNCell(2)])),
    "RNNCell": lambda: seq(S, L.RNN(L.LSTMCell(3))),
    "StackedRNNCells": lambda: seq(S, L.RNN(L.StackedRNNCells([L.LSTMCell(3), L.GRUCell(3)]))),
    "RandomBrightness": lambda: seq(M, L.RandomBrightness(0.1)),
    "RandomContrast": lambda: seq(M, L.RandomContrast(0.1)),
    "RandomCrop": lambda: seq(M, L.RandomCrop(4, 4)),
    "RandomFlip": lambda: seq(M, L.RandomFlip("horizontal")),
    "RandomRotation": lambda: seq(M, L.RandomRotation(0.1)),
    "RandomTranslation": lambda: seq(M, L.RandomTranslation(0.1, 0.1)),
    "RandomZoom": lambda: seq(M, L.RandomZoom(0.1)),
    "RandomHeight": lambda: seq(M, L.RandomHeight(0.1)),
    "RandomWidth": lambda: seq(M, L.RandomWidth(0.1)),
    "ReLU": lambda: seq((6,), L.ReLU(6.0, 0.1, 0.2)),
    "RepeatVector": lambda: seq((6,), L.RepeatVector(3)),
    "Rescaling": lambda: seq(M, L.Rescaling(1 / 255.0)),
    "Reshape": lambda: seq((6,), L.Reshape((2, 3))),
    "Resizing": lambda: seq(M, L.Resizing(4, 4)),
    "SeparableConv1D": lambda: seq(S, L.SeparableConv1D(4, 3)),
    "SeparableConv2D": lambda: seq(M, L.SeparableConv2D(4, 3)),
    "SimpleRNN": lambda: seq(S, L.SimpleRNN(3)),
    "Softmax": lambda: seq((6,), L.Softmax()),
    "SpatialDropout1D": lambda: seq(S, L.SpatialDropout1D(0.1)),
    "SpatialDropout2D": lambda: seq(M, L.SpatialDropout2D(0.1)),
    "SpatialDropout3D": lambda: seq(V, L.SpatialDropout3D(0.1)),
    "SpectralNormalization": lambda: seq((6,), L.SpectralNormalization(L.Dense(3))),
    "StringLookup": lambda: seq((1,), L.StringLookup(vocabulary=["a", "b"]), dtype="string"),
    "Subtract": lambda: two(lambda a, b: L.Subtract()([a, b])),
    "TextVectorization": lambda: seq(
        (1,), L.TextVectorization(vocabulary=["a", "b"]), dtype="string"
    ),
    "TimeDistributed": lambda: seq(S, L.TimeDistributed(L.Dense(3))),
    "TimeDistributedConv": lambda: seq((3, 8, 8, 3), L.TimeDistributed(L.DepthwiseConv2D(3))),
    "ThresholdedReLU": lambda: seq((6,), L.ThresholdedReLU(0.5)),
    "LocallyConnected1D": lambda: seq(S, L.LocallyConnected1D(3, 2)),
    "UnitNormalization": lambda: seq((6,), L.UnitNormalization()),
    "UpSampling1D": lambda: seq(S, L.UpSampling1D()),
    "UpSampling2D": lambda: seq(M, L.UpSampling2D(interpolation="bilinear")),
    "UpSampling3D": lambda: seq(V, L.UpSampling3D()),
    "ZeroPadding1D": lambda: seq(S, L.ZeroPadding1D()),
    "ZeroPadding2D": lambda: seq(M, L.ZeroPadding2D()),
    "ZeroPadding3D": lambda: seq(V, L.ZeroPadding3D()),
    "OpLambda": operation,
    "Nested": lambda: seq(
        M, tf_keras.Sequential([I(M), L.SeparableConv2D(3, 3), L.BatchNormalization()]), L.Flatten()
    ),
    "NestedShared": shared,
    "NestedFunctional": functional,
    "NestedOutput": one_output,
    "WithObjects": with_objects,
    "DtypePolicy": lambda: seq((6,), L.Dense(3, dtype="mixed_float16")),
    "MixedModel": lambda: seq(
        (6,), L.Dense(3, dtype=tf_keras.mixed_precision.Policy("mixed_bfloat16"))
    ),
    "Compiled": compiled,
    "HardSigmoid": lambda: seq(
        S, L.LSTM(3, recurrent_activation="hard_sigmoid"), L.Activation("hard_sigmoid")
    ),
}
AS_KERAS = (
    "BatchNormalization", "BidirectionalLSTM", "ConvLSTM1D", "DepthwiseConv2D", "Embedding",
    "HardSigmoid", "LSTMInit", "LocallyConnected1D", "MultiHeadAttention", "NestedFunctional",
    "NestedOutput", "NestedShared", "NormalizationAdapted", "PReLU", "RNNCells", "RandomFlip",
    "SeparableConv1D", "WithObjects",
)  # fmt: skip


def scrambled(model):
    rng = np.random.default_rng(1)

    def other(w):
        return rng.uniform(0.1, 0.6, w.shape).astype(w.dtype) if w.dtype.kind == "f" else w

    model.set_weights([other(w) for w in model.get_weights()])
    return model


if __name__ == "__main__":
    for name, make in KINDS.items():
        tf_keras.utils.set_random_seed(0)
        model = scrambled(make())
        path = os.path.join(sys.argv[1], f"{name}.h5")
        model.save(path)
        if name in AS_KERAS:
            path = os.path.join(sys.argv[1], f"{name}.keras")
            model.save(path)
        os.mkdir(os.path.join(sys.argv[1], name))
        child.main(path, os.path.join(sys.argv[1], name))
    # What an .h5 file cannot hold.
    texts = words()
    texts.save(os.path.join(sys.argv[1], "Words.keras"))
    np.save(os.path.join(sys.argv[1], "words.npy"), texts(np.array([["c b"], ["d a"]])))
