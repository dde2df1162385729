"""What every room asks of Keras's layers: einsum equations, and one way to watch calls."""

import keras
import numpy as np
import pytest

from kerasopt._layers import Equation, calls_through

layers = keras.layers

# Equation, rank of the input, of the output, and the letters of these.
EQUATIONS = {
    "ab,bc->ac": (2, 2, "ab", "ac", ""),
    "abc,cde->abde": (3, 4, "abc", "abde", ""),
    "...ab,bc->...ac": (4, 4, "ab", "ac", "first"),
    "abc...,bcd->ad...": (4, 3, "abc", "ad", "last"),
}


@pytest.mark.parametrize("equation", EQUATIONS)
def test_letters_name_the_axes_that_keras_sums_over(equation):
    rank, made, given, result, dots = EQUATIONS[equation]
    read = Equation.of(equation)
    assert (read.given, read.result, read.dots) == (given, result, dots)
    sizes = {letter: 2 + number for number, letter in enumerate("abcde")}
    shape = [7] * rank
    for letter in given:
        shape[read.axis(letter, given, rank)] = sizes[letter]
    kernel = np.ones([sizes[letter] for letter in read.kernel])

    assert np.einsum(equation, np.ones(shape), kernel).ndim == made
    out = np.einsum(equation, np.ones(shape), kernel).shape
    for letter in result:
        assert out[read.axis(letter, result, made)] == sizes[letter]


def test_other_equations_are_not_read():
    for wrong in ("ab,bc", "ab->ba", "a b,bc->ac", "ab,b...->a", "ab,bc,cd->ad"):
        assert Equation.of(wrong) is None


def noted(seen):
    def through(layer, call):
        def called(*args, **kwargs):
            seen.append(layer.name)
            return call(*args, **kwargs)

        return called

    return through


def test_calls_are_watched_in_models_and_nested_ones():
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(3, name="in")], name="inner")
    model = keras.Sequential([keras.Input((3,)), inner, layers.Dropout(0.5, name="drop"), inner])
    seen = []
    before = [sorted(vars(layer)) for layer in (inner, *inner.layers, *model.layers)]
    watched = [inner.layers[0], model.layers[1], inner.layers[0]]
    with calls_through(watched, noted(seen)):
        right = model(np.ones((2, 3)), training=False)
    assert seen == ["in", "drop", "in"]  # one that is named twice is watched once
    np.testing.assert_array_equal(right, model(np.ones((2, 3)), training=False))
    assert seen == ["in", "drop", "in"]
    assert [sorted(vars(layer)) for layer in (inner, *inner.layers, *model.layers)] == before


def test_a_call_of_the_users_own_is_watched_and_put_back():
    layer, seen = layers.Dense(2, name="mine"), []
    layer.build((None, 3))
    original = layer.call
    own = lambda x, **_: 2.0 * original(x)  # noqa: E731
    layer.call = own
    with calls_through([layer], noted(seen)), calls_through([layer], noted(seen)):
        twice = layer(np.ones((1, 3)))
    np.testing.assert_allclose(twice, 2.0 * np.asarray(original(np.ones((1, 3)))))
    assert seen == ["mine", "mine"]
    assert vars(layer)["call"] is own


def test_what_fails_leaves_nothing():
    first, second = layers.Dense(2), layers.Dense(2)

    def through(layer, call):
        if layer is second:
            raise RuntimeError("no")
        return call

    with pytest.raises(RuntimeError, match="no"), calls_through([first, second], through):
        pass
    with pytest.raises(KeyError), calls_through([first, second], lambda _, call: call):
        raise KeyError
    assert "call" not in vars(first)
    assert "call" not in vars(second)


def test_layers_of_a_saved_model_are_unharmed(tmp_path):
    """What is saved while calls are watched is the layer, not what watches it."""
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    with calls_through(model.layers, noted([])):
        model.save(tmp_path / "a.keras")
    loaded = keras.models.load_model(tmp_path / "a.keras")
    np.testing.assert_allclose(loaded(np.ones((1, 3))), model(np.ones((1, 3))), rtol=1e-6)
