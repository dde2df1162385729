"""`shrink` and `shrink_plan`: arguments, state, what is said."""

import json

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt import _keras
from kerasopt.profile import count
from kerasopt.structured import iterative_shrink, shrink, shrink_plan
from kerasopt.structured.surgery.batch_norm_statistics import reestimate
from tests.graph import models
from tests.graph.rewriting import shaken
from tests.structured.exact import assert_close, plan_of, widths


def network():
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(32, 3, padding="same", name="stem")(x)
    y = layers.BatchNormalization(name="norm")(y)
    y = layers.ReLU(name="relu")(y)
    z = layers.Conv2D(64, 3, padding="same", activation="relu", name="wide")(y)
    z = layers.Conv2D(32, 1, name="back")(z)
    y = layers.Add(name="add")([y, z])
    y = layers.GlobalAveragePooling2D(name="pool")(y)
    y = layers.Dense(48, activation="relu", name="hidden")(y)
    return keras.Model(x, layers.Dense(4, activation="softmax", name="top")(y), name="network")


def data(size=64):
    rng = np.random.default_rng(0)
    return rng.normal(size=(size, 8, 8, 3)).astype("float32"), rng.integers(0, 4, size)


def sizes(plan):
    return {one.layers: (one.before, one.after) for one in plan.groups}


def test_the_plan_shows_what_goes_and_nothing_is_done():
    model = network()
    before = model.get_weights()
    plan = shrink_plan(model, pruning_ratio=0.5, scope="layer")
    assert sizes(plan) == {("stem", "back"): (32, 16), ("wide",): (64, 32), ("hidden",): (48, 24)}
    assert plan.left_out == {"top": "gives an output of the model"}
    text = str(plan)
    assert "stem + back" in text
    assert f"{plan.before.macs:,}" in text
    assert "Left alone: top (gives an output of the model)." in text
    assert json.loads(json.dumps(plan.to_dict()))["groups"][1]["after"] == 32
    assert all(map(np.array_equal, before, model.get_weights()))
    assert repr(plan) == "ShrinkPlan('network': 72 of 144 channels go)"


def test_a_layer_that_cannot_be_copied_is_named_by_the_plan():
    class Closed(layers.Layer):
        def __init__(self, thing):
            super().__init__(name="closed")
            self.thing = thing

        def call(self, x):
            return x * 1.0

    x = keras.Input((4,))
    y = Closed(object())(layers.Dense(16, activation="relu")(layers.Dense(16)(x)))
    with pytest.raises(ValueError, match="Cannot copy 'closed'"):
        shrink_plan(keras.Model(x, layers.Dense(2)(y)), pruning_ratio=0.5)


class Around(layers.Layer):
    """A layer that holds a model and has no config that makes it again."""

    def __init__(self, inner, thing=None):
        super().__init__(name="around")
        self.inner, self.thing = inner, thing

    def call(self, x):
        return self.inner(x)


class Twice(type(network())):
    """A model with a graph, a constructor of its own and a `call` that does more."""

    def __init__(self, width):
        x = keras.Input((width,))
        super().__init__(x, layers.Dense(8, name="inside")(layers.Dense(16)(x)), name="twice")
        self.width = width

    def call(self, x):
        return 2 * super().call(x)


class Unmade(keras.Model):
    """A model without a graph, whose config does not make it again."""

    def __init__(self, thing):
        super().__init__(name="unmade")
        self.thing, self.norm = thing, layers.BatchNormalization()

    def call(self, x):
        return self.norm(x)


def before_the_top(last):
    x = keras.Input((4,))
    y = last(layers.Dense(8, activation="relu")(layers.Dense(16, name="hidden")(x)))
    return keras.Model(x, layers.Dense(2, name="top")(y))


def test_a_model_that_cannot_be_made_again_is_named_by_the_plan():
    inner = keras.Sequential([keras.Input((8,)), layers.Dense(8)])
    with pytest.raises(ValueError, match="Cannot copy 'around'"):
        shrink_plan(before_the_top(Around(inner)), pruning_ratio=0.5)
    with pytest.raises(ValueError, match="constructor of 'Twice' does not.*`call`"):
        shrink_plan(before_the_top(Twice(8)), pruning_ratio=0.5)
    assert (
        shrink(before_the_top(Twice(8)), pruning_ratio={"hidden": 0.5}).get_layer("hidden").units
        == 8
    )
    # With data, a model with statistics is copied though nothing in it changes.
    model = before_the_top(Unmade(object()))
    with pytest.raises(ValueError, match="Cannot copy 'unmade'"):
        shrink_plan(model, pruning_ratio={"hidden": 0.5}, data=np.ones((8, 4), "float32"))
    assert shrink(model, pruning_ratio={"hidden": 0.5}).get_layer("unmade") is model.get_layer(
        "unmade"
    )
    wrapped = keras.Sequential([keras.Input((3, 4)), layers.Dense(16, name="hidden"),
                                layers.Dense(8), layers.TimeDistributed(inner, name="td"),
                                layers.Dense(2)])  # fmt: skip
    assert shrink_plan(wrapped, pruning_ratio=0.5).apply().get_layer("td").layer is inner


@pytest.mark.parametrize(("metric", "name"), [("macs", "macs"), ("params", "parameters"),
                                              ("bytes", "weight_bytes")])  # fmt: skip
@pytest.mark.parametrize("scope", ["global", "layer"])
def test_a_target_is_met_from_below(metric, name, scope):
    plan = shrink_plan(network(), budget={metric: 0.5}, scope=scope, round_to=1)
    part = getattr(plan.after, name) / getattr(plan.before, name)
    assert 0.45 < part <= 0.5
    assert getattr(count(plan.apply()), name) == getattr(plan.after, name)


@pytest.mark.parametrize("scope", ["global", "layer"])
def test_a_target_is_met_as_nearly_as_eights_allow(scope):
    model = keras.applications.MobileNetV2(
        weights=None, input_shape=(32, 32, 3), alpha=0.35, classes=5
    )
    for part in (0.75, 0.5, 0.25):
        plan = shrink_plan(model, budget={"macs": part}, scope=scope)
        assert part - 0.02 < plan.after.macs / plan.before.macs <= part
        assert all(one.after % 8 == 0 or one.after == one.before for one in plan.groups)


def test_several_targets_and_a_number_for_the_macs():
    plan = shrink_plan(network(), budget={"macs": 0.6, "params": 0.3})
    assert plan.after.macs <= 0.6 * plan.before.macs
    assert plan.after.parameters <= 0.3 * plan.before.parameters
    assert shrink_plan(network(), budget=0.5).after.macs <= 0.5 * plan.before.macs


def test_a_target_out_of_reach_gives_the_nearest_and_says_so():
    with pytest.warns(
        UserWarning, match=r"'macs': 0.001} cannot be kept.* macs .*smaller `round_to`"
    ):
        plan = shrink_plan(network(), budget={"macs": 0.001})
    assert {one.after for one in plan.groups} == {8}
    assert plan.notes


def test_an_integer_in_a_budget_is_a_limit():
    model = network()
    whole = count(model)
    plan = shrink_plan(model, budget={"bytes": whole.weight_bytes // 2, "macs": 0.9})
    assert 0.3 * whole.weight_bytes < plan.after.weight_bytes <= whole.weight_bytes // 2
    assert plan.after.macs <= 0.9 * whole.macs
    part = (whole.weight_bytes // 2) / whole.weight_bytes
    same = shrink_plan(model, budget={"bytes": part, "macs": 0.9})
    assert [one.after for one in plan.groups] == [one.after for one in same.groups]
    nothing = shrink_plan(model, budget={"params": whole.parameters})
    assert nothing.after == nothing.before
    for wrong in ({"bytes": 0}, {"bytes": -5}, {"bytes": 1.5}, {"bytes": True}):
        with pytest.raises(
            ValueError, match="a float in .0, 1. is the part that stays, an integer"
        ):
            shrink_plan(model, budget=wrong)
    with pytest.raises(TypeError, match="a dict such as"):
        shrink_plan(model, budget=20_000)


def test_ratios_by_layer():
    plan = shrink_plan(network(), pruning_ratio={"wide": 0.75, "hid*": 0.5})
    assert sizes(plan) == {("stem", "back"): (32, 32), ("wide",): (64, 16), ("hidden",): (48, 24)}
    with pytest.raises(ValueError, match=r"the same ratio for stem \+ back, which are tied"):
        shrink_plan(network(), pruning_ratio={"stem": 0.5, "back": 0.25})


def test_include_and_exclude():
    assert sizes(shrink_plan(network(), pruning_ratio=0.5, include="hidden")) == {
        ("hidden",): (48, 24)
    }
    plan = shrink_plan(network(), pruning_ratio=0.5, exclude=["back", layers.Dense])
    assert list(sizes(plan)) == [("wide",)]
    assert plan.left_out["stem"] == "excluded, or tied to what is: stem + back"


def test_what_is_rounded_and_what_stays_whole_is_said():
    model = keras.Sequential([
        keras.Input((4,)), layers.Dense(20, name="a"), layers.Dense(8, name="b"), layers.Dense(1)
    ])  # fmt: skip
    with pytest.warns(UserWarning, match="round_to=8: b"):
        plan = shrink_plan(model, pruning_ratio=0.5, scope="layer")
    assert [one.after for one in plan.groups] == [8, 8]
    plan = shrink_plan(model, pruning_ratio=0.99, round_to=1, scope="layer")
    assert [one.after for one in plan.groups] == [1, 1]


def test_a_ratio_that_would_leave_layers_empty_is_said():
    with pytest.warns(UserWarning, match=r"0\.833 go instead of 0\.95: at least round_to=8"):
        plan = shrink_plan(network(), pruning_ratio=0.95)
    assert {one.after for one in plan.groups} == {8}


def test_those_of_lowest_norm_go():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(8, name="a"), layers.Dense(2)])
    kernel = np.ones((4, 8)) * [8, 1, 7, 2, 6, 3, 5, 4]
    model.layers[0].kernel.assign(kernel)
    plan = shrink_plan(model, pruning_ratio=0.5, round_to=1)
    assert plan.groups[0].removed == (1, 3, 5, 7)
    assert plan.apply().layers[0].kernel.numpy()[0].tolist() == [8, 7, 6, 5]


@pytest.mark.parametrize("scaled", [False, True])
def test_the_optimizer_goes_on_with_what_it_knows(scaled):
    model = network()
    adam = keras.optimizers.Adam(0.01)
    optimizer = keras.optimizers.LossScaleOptimizer(adam) if scaled else adam
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = data()
    model.fit(x, y, verbose=0, epochs=2)
    plan = plan_of(model)
    small = plan.apply()
    assert small.compiled
    assert int(small.optimizer.iterations) == int(model.optimizer.iterations) > 0
    gone = {one.layers: one.removed for one in plan.groups}[("wide",)]
    keep = [n for n in range(64) if n not in gone]
    mine, its = (
        [slot.numpy() for variable, slot in _keras.slots(one.optimizer)
         if variable is one.get_layer("wide").bias]
        for one in (model, small)
    )  # fmt: skip
    assert len(mine) == len(its) == 2
    for old, new in zip(mine, its, strict=True):
        assert np.abs(old).max() > 0
        assert np.array_equal(old[keep], new)
    small.fit(x, y, verbose=0)


@pytest.mark.parametrize("optimizer", [
    lambda: keras.optimizers.SGD(0.01, momentum=0.9),
    lambda: keras.optimizers.RMSprop(0.01, use_ema=True),
])  # fmt: skip
def test_a_step_after_it_is_that_of_the_masked_model(optimizer):
    model = shaken(network())
    model.compile(optimizer(), "sparse_categorical_crossentropy")
    x, y = data()
    model.fit(x, y, verbose=0, shuffle=False)
    plan = shrink_plan(model, pruning_ratio={"hidden": 0.5})
    small, masked = plan.apply(), plan.masked()
    masked.optimizer.build(masked.trainable_variables)
    # A wide model that nothing takes: the same step, if the optimizer's state is the same.
    known = {one.path: one for one in model.optimizer.variables}
    for one in masked.optimizer.variables:
        one.assign(known[one.path])
    gone = list(plan.groups[-1].removed)
    for one in masked.optimizer.variables:
        if "top_kernel" in one.path:
            value = one.numpy()
            value[gone] = 0.0
            one.assign(value)
    for one in (small, masked):
        one.train_on_batch(x[:32], y[:32])
    kept = [n for n in range(48) if n not in gone]
    for name in ("stem", "wide", "back"):
        mine, its = small.get_layer(name).kernel.numpy(), masked.get_layer(name).kernel.numpy()
        np.testing.assert_allclose(mine, its, atol=2e-6)
    np.testing.assert_allclose(
        small.get_layer("top").bias.numpy(), masked.get_layer("top").bias.numpy(), atol=2e-6
    )
    assert small.get_layer("hidden").kernel.shape[1] == len(kept)


@pytest.mark.parametrize("optimizer", [
    lambda: keras.optimizers.Nadam(0.01),
    lambda: keras.optimizers.Adam(0.01, gradient_accumulation_steps=3),
    lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.01), initial_scale=64.0, dynamic_growth_steps=1),
])  # fmt: skip
def test_an_equal_model_takes_the_same_step(optimizer):
    model = shaken(network())
    model.compile(optimizer(), "sparse_categorical_crossentropy")
    x, y = data()
    model.fit(x, y, verbose=0, shuffle=False)
    same = shrink(model, pruning_ratio=0.0)
    for one in (model, same):
        one.train_on_batch(x[:32], y[:32])
        one.train_on_batch(x[32:], y[32:])
    for one, other in zip(model.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=2e-6)


def test_settings_stay():
    model = network()
    model.get_layer("wide").trainable = False
    model.get_layer("hidden").kernel.regularizer = keras.regularizers.L2(0.1)
    small = shrink(model, pruning_ratio=0.5)
    assert not small.get_layer("wide").trainable
    assert isinstance(small.get_layer("hidden").kernel.regularizer, keras.regularizers.L2)
    assert [one.name for one in small.layers] == [one.name for one in model.layers]
    assert small.name == model.name


def test_a_subclass_of_model_stays_one():
    model = models.with_step()
    small = shrink(model, pruning_ratio=0.5, round_to=1)
    assert type(small) is type(model)
    assert small.strength == 3.0
    assert widths(small, "hidden") == (6, 2)


def test_statistics_are_those_of_the_smaller_model():
    model = keras.Sequential([
        keras.Input((6,)), layers.Dense(16, name="a"), layers.Dense(16, name="b"),
        layers.BatchNormalization(name="norm"), layers.Dropout(0.5), layers.Dense(2),
    ])  # fmt: skip
    x = np.random.default_rng(0).normal(3.0, 2.0, (256, 6)).astype("float32")
    small = shrink(model, pruning_ratio={"a": 0.5}, data=x)
    inner = keras.Model(small.inputs, small.get_layer("b").output)
    given = inner.predict(x, verbose=0)
    norm = small.get_layer("norm")
    np.testing.assert_allclose(norm.moving_mean, given.mean(0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(norm.moving_variance, given.var(0), rtol=1e-3)
    assert norm.momentum == 0.99
    assert "call" not in vars(norm)


def test_statistics_of_a_layer_that_is_called_twice_are_those_of_both_calls():
    dense, norm = layers.Dense(4, name="dense"), layers.BatchNormalization(name="norm")
    a, b = keras.Input((3,)), keras.Input((3,))
    model = keras.Model([a, b], layers.Add()([norm(dense(a)), norm(dense(b))]))
    x = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
    reestimate(model, ([x, x + 10.0],))
    both = np.concatenate([dense(x), dense(x + 10.0)])
    np.testing.assert_allclose(norm.moving_mean, both.mean(0), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(norm.moving_variance, both.var(0), rtol=1e-3)


def test_frozen_statistics_stay():
    model = keras.Sequential([keras.Input((6,)), layers.BatchNormalization(), layers.Dense(2)])
    model.layers[0].trainable = False
    reestimate(model, np.ones((32, 6)))
    assert model.layers[0].moving_mean.numpy().tolist() == [0.0] * 6


def test_it_loads_without_this_library(tmp_path):
    import subprocess
    import sys

    model = shaken(network())
    small = shrink(model, pruning_ratio=0.5)
    small.save(tmp_path / "small.keras")
    x = models.batch(model)
    np.save(tmp_path / "x.npy", x)
    code = (
        "import sys, keras, numpy as np; model = keras.saving.load_model(sys.argv[1]);"
        "y = model(np.load(sys.argv[2])); np.save(sys.argv[3], np.asarray(y));"
        "assert 'kerasopt' not in sys.modules"
    )
    files = [str(tmp_path / one) for one in ("small.keras", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-c", code, *files], check=True, capture_output=True)
    assert_close([np.load(tmp_path / "y.npy")], models.results(small, x))


def test_again_and_again():
    model = shaken(network())
    x = models.batch(model)
    for ratio in (0.25, 0.25, 0.25):
        plan = shrink_plan(model, pruning_ratio=ratio)
        smaller = plan.apply()
        assert_close(models.results(plan.masked(), x), models.results(smaller, x))
        model = smaller
    assert widths(model, "wide")[-1] < 64


def test_in_steps_with_training():
    model = network()
    model.compile("adam", "sparse_categorical_crossentropy")
    x, y = data()
    how = {"rounds": 2, "scope": "layer", "round_to": 1}
    small, steps = iterative_shrink(model, lambda one: one.fit(x, y, verbose=0), budget=0.25, **how)
    whole = count(model).macs
    assert [step.cost.macs / whole for step in steps] == [
        pytest.approx(0.5, abs=0.03), pytest.approx(0.25, abs=0.03)
    ]  # fmt: skip
    assert all("loss" in step.result.history for step in steps)
    assert count(small).macs == steps[-1].cost.macs


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ({}, ValueError, "either `pruning_ratio` or `budget`"),
        ({"pruning_ratio": 0.5, "budget": 0.5}, ValueError, "either `pruning_ratio` or `budget`"),
        ({"pruning_ratio": 1.0}, ValueError, r"in \[0, 1\)"),
        ({"pruning_ratio": "half"}, ValueError, "'masked'"),
        ({"pruning_ratio": "maskd"}, ValueError, "Did you mean 'masked'"),
        ({"pruning_ratio": {"wde": 0.5}}, ValueError, "Did you mean 'wide'"),
        ({"pruning_ratio": {"wide": 1.5}}, ValueError, r"in \[0, 1\)"),
        ({"pruning_ratio": {"top": 0.5}}, ValueError, "not 'top'.*gives an output of the model"),
        ({"pruning_ratio": {}}, ValueError, "names a layer"),
        (
            {"pruning_ratio": 0.5, "importance": lambda group: None},
            ValueError,
            "scores for some layer",
        ),
        (
            {"pruning_ratio": 0.5, "importance": lambda group: ["a"] * 48},
            ValueError,
            "finite numbers",
        ),
        ({"budget": 0.0}, ValueError, r"in \(0, 1\]"),
        ({"budget": {"mac": 0.5}}, ValueError, "Did you mean 'macs'"),
        ({"budget": "half"}, TypeError, "a dict such as"),
        (
            {"pruning_ratio": 0.5, "importance": "l3"},
            ValueError,
            "Did you mean 'l1'|Did you mean 'l2'",
        ),
        ({"pruning_ratio": 0.5, "importance": 3}, TypeError, "a function of a group"),
        ({"pruning_ratio": 0.5, "scope": "all"}, ValueError, "one of"),
        ({"pruning_ratio": 0.5, "round_to": 0}, ValueError, ">= 1"),
        ({"pruning_ratio": 0.5, "include": "hiden"}, ValueError, "hidden"),
        ({"pruning_ratio": 0.5, "exclude": "*"}, ValueError, "None can: .*excluded"),
        ({"pruning_ratio": 0.5, "importance": "taylor"}, ValueError, "`data`"),
        (
            {"pruning_ratio": 0.5, "importance": "apoz", "data": np.ones((4, 7))},
            ValueError,
            "`data`",
        ),
        (
            {"pruning_ratio": 0.5, "importance": lambda group: np.ones(3)},
            ValueError,
            "finite numbers",
        ),
    ],
)
def test_what_is_wrong_is_said(how, error, said):
    with pytest.raises(error, match=said):
        shrink_plan(network(), **how)


def test_data_that_do_not_fit_the_model_are_said_before_it_is_built():
    with pytest.raises(ValueError, match=r"`data`.*\(None, 8, 8, 3\)"):
        shrink(network(), pruning_ratio=0.5, data=np.ones((32, 8, 8, 1)))


def test_a_misspelt_argument_of_iterative_shrink():
    with pytest.raises(ValueError, match="Did you mean 'round_to'"):
        iterative_shrink(network(), print, budget=0.5, rount_to=1)


def test_weights_that_are_nan_are_said():
    model = network()
    model.get_layer("wide").kernel.assign(np.full((3, 3, 32, 64), np.nan))
    with pytest.raises(ValueError, match="wide.*not finite"):
        shrink_plan(model, pruning_ratio=0.5)


def test_a_subclassed_model_says_what_to_do():
    with pytest.raises(ValueError, match="subclassed model"):
        shrink(models.subclassed(), pruning_ratio=0.5)


def test_a_model_without_channels_that_can_go():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="top")])
    with pytest.raises(ValueError, match=r"None can: top \(gives an output of the model\)"):
        shrink(model, pruning_ratio=0.5)
