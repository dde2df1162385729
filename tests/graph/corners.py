"""Models that Keras allows and few people build. Each function builds a fresh one."""

import types

import keras
import numpy as np
from keras import layers

from tests.graph import models

Dense, Input, Model = layers.Dense, keras.Input, keras.Model


def several_outputs_of_one_layer():
    x = Input((5, 4))
    y, h, c = layers.LSTM(3, return_sequences=True, return_state=True, name="lstm")(x)
    return Model(x, [y, h, layers.Add(name="add")([h, c])])


def inputs_in_a_tuple_of_a_dict_of_a_list():
    a, b, c = (Input((3,), name=name) for name in "abc")
    outputs = (layers.Add(name="add")([a, b]), {"o": Dense(2, name="o")(c)})
    return Model((a, {"k": b, "l": [c]}), outputs)


def dicts_in_and_out_of_a_nested_model():
    given = {"z": Input((3,), name="z"), "a": Input((4,), name="a")}
    hidden = Dense(4, activation="relu", name="hidden")(given["z"])
    made = {"q": Dense(3, name="q")(hidden), "b": Dense(2, name="b")(given["a"]), "h": hidden}
    inner = Model(given, made, name="inner")
    first, second = Input((3,), name="first"), Input((4,), name="second")
    made = inner({"a": second, "z": first})
    y = layers.Concatenate(name="join")([made["q"], made["b"]])
    return Model([first, second], Dense(2, name="top")(y))


def a_layer_twice_in_a_row():
    x, dense = Input((4,)), Dense(4, activation="relu", name="dense")
    return Model(x, Dense(1, name="top")(dense(dense(x))))


def a_model_twice_in_a_row():
    x, part = Input((4,)), keras.Sequential([Input((4,)), Dense(4, name="dense")], name="part")
    return Model(x, Dense(1, name="top")(part(part(x))))


def a_model_at_every_step():
    part = keras.Sequential([Input((4,)), Dense(3, activation="relu", name="dense")], name="part")
    x = Input((5, 4))
    return Model(x, Dense(1, name="top")(layers.TimeDistributed(part, name="steps")(x)))


def shared_with_a_wrapper():
    a = Input((4,))
    part = Model(a, Dense(3, activation="relu", name="dense")(a), name="part")
    x, y = Input((5, 4), name="x"), Input((4,), name="y")
    steps = layers.TimeDistributed(part, name="steps")(x)
    pooled = layers.GlobalAveragePooling1D(name="pool")(steps)
    return Model([x, y], Dense(1, name="top")(layers.Add(name="add")([pooled, part(y)])))


def shared_by_two_wrappers():
    dense = Dense(3, activation="relu", name="dense")
    x, y = Input((5, 4), name="x"), Input((5, 4), name="y")
    both = [layers.TimeDistributed(dense, name=f"steps_{n}")(t) for n, t in enumerate((x, y))]
    return Model([x, y], layers.Add(name="add")(both))


def shared_with_a_model_in_a_wrapper():
    dense, x, y = Dense(4, name="dense"), Input((5, 4), name="x"), Input((4,), name="y")
    a = Input((4,))
    part = Model(a, Dense(4, name="more")(dense(a)), name="part")
    steps = layers.Flatten(name="flat")(layers.TimeDistributed(part, name="steps")(x))
    return Model([x, y], Dense(1, name="top")(layers.Concatenate(name="join")([steps, dense(y)])))


def an_output_that_is_used_within():
    x = Input((4,))
    hidden = Dense(3, activation="relu", name="hidden")(x)
    return Model(x, [hidden, Dense(2, name="top")(hidden)])


def an_input_that_is_an_output():
    x = Input((4,), name="x")
    return Model(x, [x, Dense(2, name="top")(Dense(3, name="hidden")(x))])


def an_input_that_is_an_output_of_a_nested_model():
    a, x = Input((4,)), Input((4,))
    inner = Model(a, [a, Dense(4, name="dense")(a)], name="inner")
    return Model(x, Dense(1, name="top")(layers.Add(name="add")(inner(x))))


def a_nested_model_that_does_nothing():
    a, x = Input((4,)), Input((4,))
    return Model(x, Dense(1, name="top")(Model(a, a, name="inner")(Dense(4, name="dense")(x))))


def one_output_twice():
    x = Input((4,))
    y = Dense(2, name="top")(Dense(3, name="hidden")(x))
    return Model(x, [y, y])


def a_mask_that_is_an_input():
    x, mask = Input((5, 4), name="x"), Input((5,), dtype="bool", name="mask")
    y = layers.LSTM(3, name="lstm")(Dense(4, name="dense")(x), mask=mask)
    return Model([x, mask], Dense(1, name="top")(y))


def states_that_are_inputs():
    x, h, c = Input((5, 4), name="x"), Input((3,), name="h"), Input((3,), name="c")
    y = layers.LSTM(3, return_sequences=True, name="lstm")(x, initial_state=[h, c])
    y = layers.GRU(3, name="gru")(y, initial_state=Dense(3, name="start")(h))
    return Model([x, h, c], Dense(1, name="top")(y))


def tensors_by_keyword():
    q, v = Input((5, 8), name="q"), Input((6, 8), name="v")
    mask = Input((5, 6), dtype="bool", name="mask")
    y, scores = layers.MultiHeadAttention(2, 4, name="attend")(
        q, value=v, key=v, attention_mask=mask, return_attention_scores=True
    )
    a = Input((8,))
    inner = Model(a, Dense(8, name="dense")(a), name="inner")
    y = layers.TimeDistributed(inner, name="steps")(inputs=y)
    return Model([q, v, mask], [Dense(2, name="top")(y), scores])


def a_mask_into_a_nested_model():
    a, x = Input((5, 4)), Input((5,), dtype="int32")
    inner = Model(a, layers.LSTM(3, name="lstm")(a), name="inner")
    y = layers.Embedding(9, 4, mask_zero=True, name="embed")(x)
    return Model(x, Dense(1, name="top")(inner(y)))


def preprocessing():
    x = Input((8, 8, 3), name="x")
    y = layers.CenterCrop(4, 4, name="crop")(layers.Resizing(6, 6, name="resize")(x))
    y = layers.RandomContrast(0.2, name="contrast")(y)
    y = layers.Rescaling([1.0, 2.0, 3.0], offset=[0.0, 1.0, 2.0], name="rescale")(y)
    y = layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0], name="norm")(y)
    return Model(x, Dense(1, name="top")(layers.Flatten(name="flat")(y)))


def categories():
    bins = layers.Discretization(num_bins=4, name="bins")
    bins.adapt(np.arange(20.0).reshape(-1, 1))
    x, words = Input((1,), name="x"), Input((1,), dtype="string", name="words")
    parts = [
        layers.CategoryEncoding(5, name="one_hot")(bins(x)),
        layers.StringLookup(vocabulary=["a", "b"], output_mode="one_hot", name="lookup")(words),
        layers.Hashing(7, output_mode="one_hot", name="hash")(words),
    ]
    y = layers.Concatenate(name="join")([keras.ops.cast(part, "float32") for part in parts])
    return Model([x, words], Dense(1, name="top")(y))


def text():
    tokens = layers.TextVectorization(max_tokens=20, output_sequence_length=4, name="tokens")
    tokens.adapt(["a b c", "a d"])
    x = Input((), dtype="string", name="x")
    y = layers.Flatten(name="flat")(layers.Embedding(20, 3, name="embed")(tokens(x)))
    return Model(x, Dense(1, name="top")(y))


def equal_names_at_two_levels():
    a, x = Input((4,), name="x"), Input((4,), name="x")
    inner = Model(a, Dense(4, name="dense", activation="relu")(a), name="inner")
    return Model(x, Dense(2, name="inner_")(Dense(4, name="dense")(inner(x))), name="inner")


def float16():
    x = Input((4,), name="x", dtype="float16")
    y = Dense(3, dtype="float16", activation="relu", name="hidden")(x)
    return Model(x, Dense(2, dtype="float16", name="top")(y))


def the_first_layers_of_a_model():
    whole = models.skips()
    return Model(whole.input, [whole.get_layer(name).output for name in ("pool", "relu_a")])


def the_last_layers_of_a_model():
    whole = models.skips()
    return Model(whole.get_layer("relu_a").output, whole.output)


def a_model_with_another_top():
    whole = models.skips()
    return Model(whole.input, Dense(1, name="more")(whole.output))


def one_input_at_two_levels():
    x = Input((4,), name="x")
    inner = Model(x, Dense(4, activation="relu", name="hidden")(x), name="inner")
    return Model(x, Dense(2, name="top")(inner(x)))


def cells_in_a_stack():
    x = Input((5, 3))
    y = layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_sequences=True, name="rnn")(x)
    other = layers.LSTM(3, go_backwards=True, name="back")
    y = layers.Bidirectional(layers.LSTM(3, name="to"), backward_layer=other, name="bi")(y)
    return Model(x, Dense(1, name="top")(y))


def layers_that_hold_layers():
    x = Input((4,))
    y = layers.SpectralNormalization(Dense(3, name="dense"), name="spectral")(x)
    return Model(x, Dense(2, name="top")(Dense(3, activation=layers.PReLU(), name="hidden")(y)))


def sequential_in_sequential():
    parts = [keras.Sequential([Dense(3, name="a")], name="one"), Dense(3, name="between")]
    last = keras.Sequential([Input((3,)), Dense(3, name="a")], name="two")
    return keras.Sequential([Input((4,)), *parts, last, Dense(1, name="top")])


def sequential_without_an_input():
    model = keras.Sequential([Dense(3, activation="relu", name="hidden"), Dense(2, name="top")])
    model.build((None, 4))
    return model


def a_fixed_batch():
    x = Input(batch_shape=(4, 4))
    return Model(x, Dense(2, name="top")(Dense(3, activation="relu", name="hidden")(x)))


def parts_frozen():
    x, hidden = Input((4,)), Dense(3, name="hidden")
    hidden.trainable = False
    norm = layers.BatchNormalization(name="norm")
    model = Model(x, Dense(2, name="top")(norm(hidden(x))))
    norm.trainable = False
    return model


def quantized():
    x = Input((4,))
    model = Model(x, Dense(2, name="top")(Dense(3, name="hidden", activation="relu")(x)))
    model.quantize("int8")
    return model


def with_lora():
    x, hidden = Input((4,)), Dense(3, name="hidden", activation="relu")
    model = Model(x, Dense(2, name="top")(hidden(x)))
    hidden.enable_lora(2)
    return model


def tied_weights():
    x = Input((5,), dtype="int32")
    embed = layers.Embedding(9, 4, name="embed")
    y = Dense(4, name="hidden")(embed(x))
    return Model(x, keras.ops.einsum("btd,vd->btv", y, embed.embeddings))


def an_input_that_nobody_takes():
    a, b, x = Input((3,), name="a"), Input((3,), name="b"), Input((3,), name="x")
    inner = Model([a, b], Dense(2, name="dense")(a), name="inner")
    y = inner([Dense(3, name="before")(x), x])
    return Model([x, Input((1,), name="nobody")], Dense(1, name="top")(y))


@keras.saving.register_keras_serializable(package="tests")
class Mixing(layers.Layer):
    """Takes and gives tensors in every way a call can."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = Dense(3, name="inside")

    def call(self, a, b=None, *, extra=None, scale=1.0):
        y = self.dense(a) * scale + b + extra["one"] + extra["two"][0]
        return {"z": y, "a": [y * 2.0, (y + 1.0,)]}


def tensors_deep_in_arguments():
    x = Input((3,))
    y = Dense(3, name="dense")(x)
    made = Mixing(name="mix")(x, y, extra={"one": y, "two": [x]}, scale=2.0)
    return Model(x, [Dense(2, name="top")(made["z"]), made["a"][1][0]])


@keras.saving.register_keras_serializable(package="tests")
class Tripled(keras.Model):
    """A Functional model whose call does more than its graph."""

    def call(self, inputs, training=None, mask=None):
        return 3.0 * super().call(inputs, training=training, mask=mask)


def a_call_of_its_own():
    a, x = Input((4,)), Input((4,))
    inner = Tripled(a, Dense(3, activation="relu", name="hidden")(a), name="inner")
    return Tripled(x, Dense(1, name="top")(inner(x)))


def frozen_as_a_whole():
    model = models.nested()
    model.trainable = False
    return model


def frozen_in_a_wrapper():
    parts = [Dense(3, name="a"), layers.BatchNormalization(name="norm"), Dense(2, name="b")]
    part = keras.Sequential([Input((4,)), *parts], name="part")
    parts[0].trainable = False
    x = Input((5, 4))
    return Model(x, Dense(1, name="top")(layers.TimeDistributed(part, name="steps")(x)))


def many_layers():
    x = y = Input((3,))
    for number in range(100):
        y = layers.Activation("tanh", name=f"act_{number}")(y)
    return Model(x, Dense(1, name="top")(y))


ALL = [
    thing
    for thing in list(globals().values())
    if isinstance(thing, types.FunctionType) and thing.__module__ == __name__
]
