"""Whole models of many kinds, small."""

import keras
from keras import layers


def unet():
    """A U-Net with two levels and skip connections."""
    x = keras.Input((16, 16, 3))

    def block(y, filters, name):
        for number in (1, 2):
            y = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_{number}")(
                y
            )
            y = layers.BatchNormalization(name=f"{name}_norm_{number}")(y)
            y = layers.ReLU(name=f"{name}_relu_{number}")(y)
        return y

    one = block(x, 16, "down_1")
    two = block(layers.MaxPooling2D(name="pool_1")(one), 32, "down_2")
    low = block(layers.MaxPooling2D(name="pool_2")(two), 64, "low")
    up = layers.Conv2DTranspose(32, 2, strides=2, name="up_2")(low)
    up = block(layers.Concatenate(name="skip_2")([up, two]), 32, "back_2")
    up = layers.Conv2DTranspose(16, 2, strides=2, name="up_1")(up)
    up = block(layers.Concatenate(name="skip_1")([up, one]), 16, "back_1")
    return keras.Model(x, layers.Conv2D(1, 1, activation="sigmoid", name="map")(up), name="unet")


def transformer():
    """An encoder of two blocks on words."""
    x = keras.Input((10,), dtype="int32")
    y = layers.Embedding(50, 32, name="embed")(x)
    for number in (1, 2):
        z = layers.LayerNormalization(name=f"norm_a{number}")(y)
        z = layers.MultiHeadAttention(4, 8, name=f"attend_{number}")(z, z)
        y = layers.Add(name=f"add_a{number}")([y, z])
        z = layers.LayerNormalization(name=f"norm_b{number}")(y)
        z = layers.Dense(64, activation="gelu", name=f"wide_{number}")(z)
        z = layers.Dense(32, name=f"narrow_{number}")(z)
        y = layers.Add(name=f"add_b{number}")([y, z])
    y = layers.GlobalAveragePooling1D(name="pool")(y)
    y = layers.Dense(32, activation="tanh", name="hidden")(y)
    return keras.Model(x, layers.Dense(5, activation="softmax", name="top")(y), name="transformer")


def lstm():
    """A classifier of series with two LSTM layers, one in both directions."""
    x = keras.Input((12, 6))
    y = layers.Bidirectional(layers.LSTM(16, return_sequences=True), name="both")(x)
    y = layers.LSTM(32, name="last")(y)
    y = layers.Dense(16, activation="relu", name="hidden")(y)
    return keras.Model(x, layers.Dense(5, activation="softmax", name="top")(y), name="lstm")


def gru():
    """A classifier of series with a convolution and two GRU layers."""
    return keras.Sequential(
        [
            keras.Input((12, 6)),
            layers.Conv1D(16, 3, padding="same", activation="relu", name="front"),
            layers.GRU(32, return_sequences=True, name="first"),
            layers.GRU(16, name="second"),
            layers.Dense(5, activation="softmax", name="top"),
        ],
        name="gru",
    )


def towers():
    """Two images through one model, and their difference."""
    inner = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Conv2D(16, 3, activation="relu", name="conv_1"),
            layers.BatchNormalization(name="norm"),
            layers.Conv2D(32, 3, activation="relu", name="conv_2"),
            layers.GlobalAveragePooling2D(name="pool"),
            layers.Dense(16, name="vector"),
        ],
        name="tower",
    )
    a, b = keras.Input((12, 12, 1), name="a"), keras.Input((12, 12, 1), name="b")
    y = layers.Subtract(name="apart")([inner(a), inner(b)])
    y = layers.Dense(16, activation="relu", name="hidden")(y)
    return keras.Model([a, b], layers.Dense(2, activation="softmax", name="top")(y), name="towers")


OWN = {one.__name__: one for one in (unet, transformer, lstm, gru, towers)}

SIDES = {
    "MobileNetV2": 32,
    "MobileNetV3Small": 32,
    "ResNet50": 32,
    "ResNet50V2": 32,
    "DenseNet121": 32,
    "EfficientNetV2B0": 32,
    "Xception": 71,
    "VGG16": 32,
    "InceptionV3": 75,
    "NASNetMobile": 32,
}


def application(name):
    """A model of `keras.applications` on small images, without weights from elsewhere."""
    side = SIDES[name]
    return getattr(keras.applications, name)(weights=None, input_shape=(side, side, 3), classes=5)
