"""Data of every form for criteria: what fits leaves no trace, what does not is said at once."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from kerasopt.callbacks import Pruning
from kerasopt.pruning import prune
from kerasopt.pruning.criteria import Movement, Snip, Taylor, Wanda
from kerasopt.pruning.statistics.activations import input_norms
from kerasopt.pruning.statistics.batches import Batches
from kerasopt.pruning.statistics.collector import Collector
from kerasopt.schedules import PolynomialDecay
from kerasopt.selection import select
from tests.graph import models

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(70, 3)).astype("float32"), RNG.normal(size=(70, 2)).astype("float32")
WIDE = RNG.normal(size=(70, 9))


def linear():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="d")])
    model.compile("sgd", "mse")
    return model


def collector(model, criterion, data, batches=1):
    return Collector(model, select(model), criterion.needs, criterion, data, batches)


def built(layer, shape):
    return models.scrambled(keras.Sequential([keras.Input(shape), layer]))


# What is wrong is said when training begins.


@pytest.mark.parametrize(
    ("criterion", "data", "message"),
    [
        (Snip(), [X], r"Expected batches \(x, y\).*x \(70, 3\)\. Give .*`data=\(x, y\)`"),
        (Snip(), X, r"Expected batches \(x, y\).*x \(32, 3\)\. Give .*`data=\(x, y\)`"),
        (Snip(), [(X, None)], r"targets.*`data=\(x, y\)`"),
        (Snip(), (X, None), r"targets.*`data=\(x, y\)`"),
        (Wanda(), WIDE, r"model takes \(x \(None, 3\)\).*=batches of x \(32, 9\)\. It raised"),
        (Snip(), (WIDE, Y), r"batches of x \(32, 9\), y \(32, 2\)\. It raised .*fit"),
        (Snip(), (X, RNG.normal(size=(70, 5))), r"loss take.*x \(32, 3\), y \(32, 5\)\. It raised"),
        (Snip(), ([[1.0], [2.0]], [1.0, 2.0]), r"batches of x .* It raised"),
    ],
)
def test_wrong_data_are_named_before_training(criterion, data, message):
    model = linear()
    with pytest.raises(ValueError, match=rf"(?s)`data`\. .*{message}") as caught:
        collector(model, criterion, data)
    assert len(str(caught.value)) < 700
    assert "user code" not in str(caught.value)
    late = Pruning(PolynomialDecay(0.0, 0.5, begin=8, end=9), criterion=criterion, data=data)
    before = model.get_weights()
    with pytest.raises(ValueError, match="`data`"):
        model.fit(X, Y, epochs=2, callbacks=[late], verbose=0)
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    collector(model, criterion, (X, Y)).collect()
    model.fit(X, Y, verbose=0)


def test_data_that_cannot_be_read_are_named():
    class Broken(keras.utils.PyDataset):
        num_batches = 3

        def __getitem__(self, index):
            raise OSError("no such file")

    with pytest.raises(ValueError, match=r"`data`.*can be read.*OSError: no such file"):
        collector(linear(), Wanda(), Broken())
    found = collector(linear(), Wanda(), [X[:3], WIDE[:3]], batches=2)
    with pytest.raises(ValueError, match=r"`data`.*batches of x \(3, 3\) and of x \(3, 9\)"):
        found.collect()


def test_a_class_that_is_not_there():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3, activation="softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match=r"`data`.*y \(32,\).*It raised \w+: Received a label"):
        collector(model, Snip(), (X, np.full(70, 7)))


def test_after_wrong_targets_right_ones_train():
    model = models.two_in_two_out()
    x = models.batch(model)
    wrong, y = np.zeros((4, 1)), {"price": np.ones((4, 1)), "kind": np.zeros(4, "int32")}
    with pytest.raises(ValueError, match=r"`data`.*'left': \(4, 6\).*, y \(4, 1\)\. It raised"):
        collector(model, Snip(), (x, wrong))
    collector(model, Snip(), (x, y)).collect()
    model.fit(x, y, verbose=0)


# What fits leaves no trace.


@keras.saving.register_keras_serializable(package="tests")
class Noisy(layers.Layer):
    """Draws and counts in inference too."""

    def __init__(self, **arguments):
        super().__init__(**arguments)
        self.seeds = keras.random.SeedGenerator(1)
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False, name="count")

    def call(self, inputs):
        self.count.assign_add(1.0)
        noise = keras.random.normal(keras.ops.shape(inputs), seed=self.seeds)
        return inputs + noise + keras.random.normal((1,))


@pytest.mark.parametrize("criterion", [Movement(), Wanda()])
def test_the_trial_leaves_no_trace(criterion):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((3,)), Noisy(), layers.BatchNormalization(), layers.Dense(2)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    keras.random.normal((1,))  # makes the seed of those without one
    seed = keras.src.random.seed_generator.global_seed_generator().state
    values = [np.array(v) for v in (*model.variables, seed)]
    found = collector(model, criterion, (X, Y))
    state = found.get_state()
    assert state == {"taken": 0, "moved": {}}
    found.collect()
    for one, other in zip(values, (*model.variables, seed), strict=True):
        np.testing.assert_array_equal(one, np.array(other))
    assert found.get_state()["taken"] == 1


def test_the_trial_takes_no_batch():
    class Once:
        """Reads on where it was left."""

        def __init__(self):
            self.parts = iter([(X[:4],), (X[4:8],)])

        def __iter__(self):
            return self.parts

    first = collector(linear(), Wanda(), Once()).collect()["d/kernel"].input_norm
    np.testing.assert_allclose(first[:, 0], np.linalg.norm(X[:4], axis=0), rtol=1e-6)


def test_a_model_that_makes_its_loss_itself_needs_no_targets():
    class Own(layers.Layer):
        def call(self, inputs):
            self.add_loss(keras.ops.mean(keras.ops.square(inputs)))
            return inputs

    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, name="d"), Own()])
    model.compile("sgd")
    context = collector(model, Snip(), X).collect()["d/kernel"]
    assert np.abs(context.gradient).max() > 0
    model.fit(X, verbose=0)


# Arrays without targets.


def test_a_plain_array_is_inputs():
    assert [len(batch[0]) for batch in Batches(X).take(4)] == [32, 32, 6, 32]
    assert len(Batches(tf.constant(X)).take(1)[0][0]) == 32
    model = linear()
    norm = collector(model, Wanda(), X, batches=3).collect()["d/kernel"].input_norm
    np.testing.assert_allclose(norm[:, 0], np.linalg.norm(X, axis=0), rtol=1e-6)
    prune(model, 0.5, criterion="wanda", data=X)


def test_a_dict_of_arrays_is_the_inputs_of_a_model_with_several():
    model = models.two_in_two_out()
    data = {"left": RNG.normal(size=(40, 6)), "right": RNG.normal(size=(40, 4))}
    norm = collector(model, Wanda(), data, batches=2).collect()["l/kernel"].input_norm
    np.testing.assert_allclose(norm[:, 0], np.linalg.norm(data["left"], axis=0), rtol=1e-5)
    with pytest.raises(ValueError, match=r"`data=\(x, y\)`"):
        collector(model, Taylor(), data)
    with pytest.raises(ValueError, match=r"`data`.*x \{'left': \(40, 6\), 'right': \(3, 4\)\}"):
        Batches({**data, "right": data["right"][:3]})
    for wrong in ({"left": [1.0]}, {}):
        with pytest.raises(TypeError, match="`data`"):
            Batches(wrong)
    with pytest.raises(ValueError, match="`data`"):
        Batches(np.zeros(()))


# What was taken is passed over.


class Counted(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()
        self.read = []

    def __len__(self):
        return 3

    def __getitem__(self, index):
        self.read.append(index)
        return (np.full((2, 3), index),)


@pytest.mark.parametrize("form", ["arrays", "list", "dataset", "py_dataset"])
@pytest.mark.parametrize("peeked", [False, True])
def test_batches_that_were_taken_are_passed_over(form, peeked):
    x = np.repeat(np.arange(3), 2)[:, None] * np.ones((1, 3))
    data = {
        "arrays": (x,),
        "list": [(x[:2],), (x[2:4],), (x[4:],)],
        "dataset": tf.data.Dataset.from_tensor_slices((x,)).batch(2),
        "py_dataset": Counted(),
    }[form]
    batches = Batches(data, size=2)

    def begins(count):
        return [int(np.asarray(batch[0])[0, 0]) for batch in batches.take(count)]

    for position in (0, 1, 4, 7, 7, 2, 0):
        if peeked:
            batches.peek()
        batches.go_to(position)
        assert batches.taken == position
        assert begins(2) == [position % 3, (position + 1) % 3]
        batches.go_to(position)
    if form == "py_dataset" and not peeked:
        assert len(data.read) == 14  # none was read to be passed over


def test_passing_over_keeps_nothing():
    alive, most = [0], [0]

    class Held(np.ndarray):
        def __del__(self):
            if self.base is not None:
                alive[0] -= 1

    class Endless:
        def __iter__(self):
            for _ in range(100):
                one = np.zeros((2, 3)).view(Held)
                alive[0] += 1
                most[0] = max(most[0], alive[0])
                yield (one,)

    batches = Batches(Endless())
    batches.go_to(50)
    assert most[0] < 5


# The movement.


def two():
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(4, name="a"), layers.Dense(2, name="b")]
    )
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("criterion", [Taylor(), Snip()])
def test_only_movement_is_added_up(criterion):
    found = collector(two(), criterion, (X, Y))
    contexts = found.collect()
    assert contexts["a/kernel"].moved is None
    assert found.get_state() == {"taken": 1, "moved": {}}


def test_the_movement_belongs_to_its_path():
    found = collector(two(), Movement(), (X, Y))
    found.collect()
    state = found.get_state()
    turned = {**state, "moved": dict(reversed(state["moved"].items()))}
    other = collector(two(), Movement(), (X, Y))
    other.set_state(turned)
    for path, value in state["moved"].items():
        np.testing.assert_array_equal(other.get_state()["moved"][path], value)
    renamed = {f"other_{path}": value for path, value in state["moved"].items()}
    other.set_state({**state, "moved": renamed})
    assert list(other.get_state()["moved"]) == ["a/kernel", "b/kernel"]
    other.set_state({})
    assert other.get_state() == {"taken": 0, "moved": {}}
    for wrong in ({"a/kernel": state["moved"]["a/kernel"]}, {**state["moved"], "b/kernel": [[0]]}):
        with pytest.raises(ValueError, match=r"`state`.*'b/kernel', of the shape \(4, 2\)"):
            other.set_state({"taken": 1, "moved": wrong})
    collector(two(), Taylor(), (X, Y)).set_state(state)


# Inputs of kernels that are not the layer's own inputs.


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Conv2D(6, 3, groups=2, padding="same"), (5, 5, 4)),
        (layers.Conv1D(4, 2, groups=4, strides=2), (7, 4)),
        (layers.Conv3D(6, 2, groups=3), (3, 3, 3, 6)),
    ],
)
def test_outputs_of_a_group_see_its_inputs(layer, shape):
    model = built(layer, shape)
    if isinstance(layer, layers.Conv3D):
        layer.call = lambda inputs: inputs  # TensorFlow computes it on a GPU only
    x = RNG.normal(size=(3, *shape)).astype("float32")
    (norm,) = input_norms(model, select(model), [(x,)])
    whole = np.linalg.norm(x.reshape(-1, shape[-1]), axis=0)
    inputs, outputs = layer.kernel.shape[-2:]
    for output in range(outputs):
        begin = output // (outputs // layer.groups) * inputs
        np.testing.assert_allclose(norm[:, output], whole[begin : begin + inputs], rtol=1e-5)
    prune(model, 0.5, criterion="wanda", data=x)


@pytest.mark.parametrize(
    ("equation", "output", "axis"),
    [
        ("...ab,bc->...ac", (5, 4), 3),
        ("ab...,bc->ac...", (4,), 1),
        ("abcd,bef->aefcd", (2, 3, 5, 6), 1),
    ],
)
def test_inputs_of_an_equation_are_those_of_the_axis_that_it_names(equation, output, axis):
    layer = layers.EinsumDense(equation, output)
    x = RNG.normal(size=(3, 4, 5, 6)).astype("float32")
    (norm,) = input_norms(built(layer, x.shape[1:]), select(layer), [(x,)])
    right = np.sqrt(np.square(x).sum(tuple({0, 1, 2, 3} - {axis})))
    np.testing.assert_allclose(norm.ravel(), right, rtol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.SeparableConv2D(5, 3, strides=2, padding="same", depth_multiplier=2), (7, 6, 3)),
        (layers.SeparableConv2D(5, 2, dilation_rate=2), (7, 6, 3)),
        (layers.SeparableConv1D(4, 3, strides=2, depth_multiplier=2), (9, 3)),
        (layers.SeparableConv1D(4, 2, padding="same", dilation_rate=2), (9, 3)),
    ],
)
def test_the_second_kernel_of_a_separable_convolution(layer, shape):
    model = built(layer, shape)
    x = RNG.normal(size=(3, *shape)).astype("float32")
    norms = input_norms(model, select(model), [(x,)])
    # With an identity as second kernel the layer gives what that kernel gets.
    width = layer.pointwise_kernel.shape[-2]
    how = {"strides": layer.strides, "padding": layer.padding, "depth_multiplier": width // 3}
    same = type(layer)(width, layer.kernel_size, dilation_rate=layer.dilation_rate, **how)
    other = keras.Sequential([keras.Input(shape), same])
    same.depthwise_kernel.assign(layer.depthwise_kernel)
    same.pointwise_kernel.assign(np.eye(width).reshape(same.pointwise_kernel.shape))
    inside = np.asarray(other(x)).reshape(-1, width)
    np.testing.assert_allclose(norms[1][:, 0], np.linalg.norm(inside, axis=0), rtol=1e-5)
    assert norms[0].shape == (3, 1)
    prune(model, 0.5, criterion="wanda", data=x)


class Mine(layers.Layer):
    def build(self, shape):
        self.w = self.add_weight(shape=(7, 2), name="w")

    def call(self, inputs):
        return keras.ops.tile(inputs, (1, 3))[:, :7] @ self.w


def test_a_kernel_whose_inputs_cannot_be_known_is_named():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3), Mine(name="mine")])
    model.compile("sgd", "mse")
    message = r"`criterion`.*'mine/w'.*cannot be known.*Wanda.*`exclude=\['mine'\]`"
    with pytest.raises(ValueError, match=message):
        prune(model, 0.5, criterion="wanda", data=X)
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y, callbacks=[Pruning(0.5, criterion="wanda", data=X)], verbose=0)
    prune(model, 0.5, criterion="wanda", data=X, exclude=["mine"])


# Layers called in other ways.


class Calling(keras.Model):
    def __init__(self, how):
        super().__init__()
        self.dense, self.how = layers.Dense(2, name="dense"), how

    def call(self, x):
        if self.how == "keyword":
            return self.dense(inputs=x)
        if self.how == "function":
            return tf.function(lambda t: self.dense(t))(x)
        if self.how == "vectorized":
            return tf.vectorized_map(lambda t: self.dense(t[None])[0], x)
        return self.dense(x)


@pytest.mark.parametrize("how", ["keyword", "function", "plain"])
def test_a_layer_called_by_keyword_or_in_a_function(how):
    model = Calling(how)
    model(X)
    (norm,) = input_norms(model, select(model), [(X,)])
    np.testing.assert_allclose(norm[:, 0], np.linalg.norm(X, axis=0), rtol=1e-6)
    assert not tf.config.functions_run_eagerly()


def test_a_call_that_is_a_function_itself():
    class Compiled(layers.Dense):
        call = tf.function(layers.Dense.call)

    model = keras.Sequential([keras.Input((3,)), Compiled(2)])
    (norm,) = input_norms(model, select(model), [(X,)])
    np.testing.assert_allclose(norm[:, 0], np.linalg.norm(X, axis=0), rtol=1e-6)


def test_a_layer_that_is_always_in_a_graph_is_named():
    model = Calling("vectorized")
    model(X)
    with pytest.raises(ValueError, match=r"'dense/kernel'.*cannot be known.*exclude"):
        prune(model, 0.5, criterion="wanda", data=X)


def test_a_call_of_the_users_own_is_there_again():
    model = linear()
    layer = model.layers[0]
    original = layer.call
    own = lambda inputs, **_: original(2.0 * inputs)  # noqa: E731
    layer.call = own
    input_norms(model, select(model), [(X,)])
    assert vars(layer)["call"] is own
    with pytest.raises(Exception, match=r"."):
        input_norms(model, select(model), [(WIDE,)])
    assert vars(layer)["call"] is own
    assert not tf.config.functions_run_eagerly()
