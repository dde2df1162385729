"""Nested models in which nothing changes stay the same object; what is done is said."""

import warnings

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.batch_norm import fold_batch_norm
from kerasopt.graph import Graph, Rewrite
from kerasopt.regularization import freeze_dropout, insert_dropout, remove_dropout
from kerasopt.structured import shrink
from tests.graph import models


class Backbone(keras.Model):
    """As in Keras's guide: the constructor makes the graph, and passes the rest on."""

    def __init__(self, width=16, **kwargs):
        x = keras.Input((4,))
        hidden = layers.Dense(width, activation="relu", name="inner")(x)
        super().__init__(inputs=x, outputs=layers.Dense(8, name="last")(hidden), **kwargs)
        self.width = width

    def get_config(self):
        return {"width": self.width, "name": self.name}


def backbone(name="base"):
    x = keras.Input((4,))
    norm = layers.BatchNormalization(name="norm")(layers.Dense(8, name="first")(x))
    return keras.Model(x, layers.Dense(8, name="second")(layers.ReLU()(norm)), name=name)


def transfer(base, training=False):
    x = keras.Input((4,))
    y = base(x, training=training)
    y = layers.Dense(16, activation="relu", name="hidden")(y)
    y = layers.BatchNormalization(name="top_norm")(layers.Dense(6, name="wide")(y))
    return models.scrambled(keras.Model(x, layers.Dense(2, name="top")(y)))


def results(model, seed=0):
    return np.array(model(np.random.default_rng(seed).normal(size=(3, 4)).astype("float32")))


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda m: insert_dropout(m, 0.3),
        lambda m: remove_dropout(insert_dropout(m, 0.3)),
        lambda m: freeze_dropout(insert_dropout(m, 0.3, kind="scheduled")),
        lambda m: shrink(m, pruning_ratio=0.5, round_to=1, include="hidden"),
        lambda m: shrink(
            m, pruning_ratio=0.5, round_to=1, include="hidden", data=np.ones((4, 4), "float32")
        ),
        lambda m: fold_batch_norm(m, exclude="base"),
    ],
)
def test_a_base_is_unfrozen_as_in_every_tutorial(rewrite):
    base = backbone()
    base.trainable = False
    old = transfer(base)
    before = results(old)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        new = rewrite(old)
    assert new.get_layer("base") is base
    head = len(new.trainable_weights)
    base.trainable = True
    assert len(new.trainable_weights) == head + 6
    np.testing.assert_array_equal(results(old), before)


@pytest.mark.parametrize(
    "around",
    [
        lambda base: keras.Sequential([keras.Input((5, 4)), layers.TimeDistributed(base)]),
        lambda base: keras.Sequential([keras.Input((4,)), base]),
        lambda base: keras.Sequential([keras.Input((4,)), keras.Sequential([base])]),
    ],
)
def test_models_in_wrappers_and_in_models_stay(around):
    base = backbone()
    old = around(base)
    ids = {id(v) for v in base.weights}
    head = [layers.Dense(8, "relu", name="hidden"), layers.Dense(1)]
    new = insert_dropout(keras.Sequential([old, *head]), 0.2, after="hidden")
    assert new.layers[0] is old
    x = keras.Input(old.input_shape[1:])
    y = x
    for layer in [*old.layers, *head]:
        y = layer(y)
    flat = insert_dropout(keras.Model(x, y), 0.2, after="hidden")
    assert ids <= {id(v) for v in flat.weights}


def test_a_subclassed_model_inside_stays_though_no_config_makes_it_again():
    class Own(keras.Model):
        def __init__(self, thing):
            super().__init__()
            self.dense = layers.Dense(4)
            self.thing = thing

        def call(self, x):
            return self.dense(x)

    own, x = Own(object()), keras.Input((4,))
    hidden = layers.Dense(8, activation="relu", name="hidden")(own(x))
    new = insert_dropout(keras.Model(x, layers.Dense(2)(hidden)), 0.3)
    assert new.layers[1] is own


def test_what_a_kept_model_shares_stays_shared():
    dense = layers.Dense(4, name="both")
    inner = keras.Sequential([keras.Input((4,)), dense], name="inner")
    x = keras.Input((4,))
    y = layers.Dense(8, activation="relu", name="hidden")(dense(inner(x)))
    new = insert_dropout(keras.Model(x, layers.Dense(1)(y)), 0.5, after="hidden")
    assert new.get_layer("inner") is inner
    assert new.get_layer("both") is dense


def test_a_copy_is_told_and_given():
    base = keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, "relu", name="deep"), layers.Dense(8, name="end")],
        name="base",
    )
    base.trainable = False
    other = backbone("other")
    x = keras.Input((4,))
    y = layers.Add()([base(x), other(x)])
    old = keras.Model(x, layers.Dense(2)(y))
    with pytest.warns(UserWarning, match=r"'base' had to be copied.*copied\['base'\]") as caught:
        new = insert_dropout(old, 0.3, after="deep")
    assert caught[0].filename == __file__
    report = Rewrite.of(new)
    assert report.copied == {"base": new.get_layer("base")}
    assert report.copied["base"] is not base
    assert report.kept == {"other": other}
    assert report.inserted == ("base/deep_dropout",)
    assert not report.copied["base"].trainable
    report.copied["base"].trainable = True
    assert not base.trainable
    with pytest.raises(ValueError, match="a rewrite has returned"):
        Rewrite.of(old)


def test_verbose_says_it_in_a_line(capsys):
    new = insert_dropout(transfer(backbone()), 0.3, after="hidden", verbose=1)
    assert capsys.readouterr().out == (
        "insert_dropout: inserted: hidden_dropout; kept, the same object as before: base\n"
    )
    new = remove_dropout(new, verbose=1)
    assert "removed: hidden_dropout; kept" in capsys.readouterr().out
    small = shrink(new, pruning_ratio=0.5, round_to=1, include="hidden", verbose=1)
    assert "changed: hidden, wide; kept" in capsys.readouterr().out
    assert "changed: hidden, wide" in repr(Rewrite.of(small))
    with pytest.raises(TypeError, match="verbose"):
        insert_dropout(new, 0.3, verbose="yes")


def test_what_is_frozen_inside_a_kept_model_stays_frozen_and_the_rest_does_not():
    base = backbone()
    old = transfer(base)
    old.trainable = False
    base.get_layer("second").trainable = True
    new = insert_dropout(old, 0.3, after="hidden")
    assert not base.trainable
    assert base.get_layer("second").trainable
    assert not base.get_layer("first").trainable
    assert base.get_layer("second").kernel.trainable
    assert not new.get_layer("hidden").trainable


def test_statistics_of_the_old_model_are_not_estimated_anew():
    base = backbone()
    old = transfer(base, training=None)
    before = np.array(base.get_layer("norm").moving_mean)
    new = shrink(
        old, pruning_ratio=0.5, round_to=1, include="hidden", data=np.full((8, 4), 3.0, "float32")
    )
    np.testing.assert_array_equal(base.get_layer("norm").moving_mean, before)
    assert new.get_layer("base") is not base


def test_everything_is_copied_on_demand():
    old = transfer(backbone())
    new = Graph.of(old).build(copied=True)
    assert not {id(v) for v in old.variables} & {id(v) for v in new.variables}
    assert set(Rewrite.of(new).copied) == {"base"}
    np.testing.assert_array_equal(results(old), results(new))


def test_a_class_that_makes_its_graph_itself_is_edited_as_a_plain_model():
    old = models.scrambled(Backbone())
    with pytest.warns(UserWarning, match="plain Functional.*'Backbone'") as caught:
        new = insert_dropout(old, 0.2, after="inner")
    assert [one.filename for one in caught] == [__file__]
    assert not isinstance(new, Backbone)
    assert Rewrite.of(new).as_functional == {"": "Backbone"}
    np.testing.assert_array_equal(results(old), results(new))
    with pytest.warns(UserWarning, match="'Backbone'"):
        assert shrink(old, pruning_ratio=0.5, round_to=1).get_layer("inner").units == 8


def test_nested_it_is_kept_or_edited():
    base, x = Backbone(), keras.Input((4,))
    hidden = layers.Dense(8, activation="relu", name="hidden")(base(x))
    old = models.scrambled(keras.Model(x, layers.Dense(2, name="top")(hidden)))
    assert insert_dropout(old, 0.2, after="hidden").layers[1] is base
    with pytest.warns(UserWarning, match="in the place of '.*Backbone"):
        small = shrink(old, pruning_ratio=0.5, round_to=1)
    assert small.get_layer(base.name).get_layer("inner").units < 16


def test_weights_of_the_class_that_are_lost_are_named():
    class Scaled(Backbone):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.factor = self.add_weight(shape=(), name="factor")

    with pytest.warns(UserWarning, match="'Scaled'.* without its own weight 'factor':"):
        new = insert_dropout(Scaled(name="base"), 0.3, after="inner")
    assert Rewrite.of(new).as_functional == {"": "Scaled"}


def test_a_config_without_the_name_is_enough():
    class Nameless(layers.Layer):
        def __init__(self, units, name=None, **kwargs):
            super().__init__(name=name, **kwargs)
            self.units = units

        def call(self, x):
            return x * self.units

        def get_config(self):
            return {"units": self.units}

    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"),
                              Nameless(2), Nameless(3, name="own"), layers.Dense(2)])  # fmt: skip
    new = insert_dropout(model, 0.3, after="dense*")
    assert new.get_layer("own").units == 3
    np.testing.assert_array_equal(results(new), results(model))


def test_a_sequential_class_and_what_training_loses():
    class Net(keras.Sequential):
        def __init__(self, width=8):
            super().__init__([keras.Input((4,)), layers.Dense(width, "relu", name="hidden")])
            self.add(layers.Dense(2))

        def train_step(self, data):
            return super().train_step(data)

    old = models.scrambled(Net())
    old.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="'Net'.* without its own `train_step`"):
        new = insert_dropout(old, 0.2)
    assert type(new) is keras.Sequential
    assert new.loss == "mse"
    np.testing.assert_array_equal(results(old), results(new))


def test_a_class_that_swallows_the_graph_it_is_given():
    class Deaf(Backbone):
        def __init__(self, width=16, **kwargs):
            super().__init__(width, name=kwargs.get("name"))

    with pytest.warns(UserWarning, match="'Deaf'"):
        new = insert_dropout(Deaf(), 0.2, after="inner")
    assert "inner_dropout" in [layer.name for layer in new.layers]


def test_a_call_of_its_own_is_refused_by_name_before_anything_is_printed(capsys):
    class Doubled(Backbone):
        def call(self, x, training=None):
            return super().call(x, training=training) * 2.0

    old = Doubled()
    with pytest.raises(ValueError, match="'Doubled'.*its `call`"):
        insert_dropout(old, 0.2, after="inner", verbose=1)
    assert not capsys.readouterr().out


def test_a_config_that_forgets_an_argument_is_named(capsys):
    class Times(layers.Layer):
        def __init__(self, times=1, **kwargs):
            super().__init__(**kwargs)
            self.times = times

        def call(self, x):
            return x * self.times

        def get_config(self):
            return super().get_config()

    stack = [keras.Input((4,)), layers.Dense(4), layers.BatchNormalization(), Times(3, name="t")]
    old = keras.Sequential([*stack, layers.Dense(8, "relu"), layers.Dense(1)])
    with pytest.raises(ValueError, match="'t'.*lacks `times`"):
        fold_batch_norm(old, verbose=1)
    assert not capsys.readouterr().out
