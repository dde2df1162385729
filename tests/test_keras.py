"""The private names of Keras that `_keras.py` leans on: this notices when one goes away."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasopt import _keras
from kerasopt.callbacks import EarlyStopping, Pruning
from kerasopt.export import to_tflite


def model():
    inputs = keras.Input((3,))
    return keras.Model(inputs, keras.layers.Dense(2, name="dense")(inputs))


def test_sublayers_of_models_wrappers_and_composites():
    wrapper = keras.layers.Bidirectional(keras.layers.LSTM(2, name="lstm"))
    wrapper.build((None, 4, 3))
    assert [layer.name for layer in _keras.sublayers(wrapper)] == ["forward_lstm", "backward_lstm"]
    assert [layer.name for layer in _keras.sublayers(model())][1:] == ["dense"]


@pytest.mark.parametrize("scaled", [False, True])
def test_the_averages_of_an_optimizer(scaled):
    network = model()
    optimizer = keras.optimizers.Adam(use_ema=True)
    if scaled:
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
    assert list(_keras.averages(optimizer)) == []
    optimizer.build(network.trainable_variables)
    found = list(_keras.averages(optimizer))
    assert [id(v) for v, _ in found] == [id(v) for v in network.trainable_variables]
    assert all(average.shape == v.shape and average is not v for v, average in found)
    assert list(_keras.averages(keras.optimizers.SGD())) == []
    assert list(_keras.averages(None)) == []


@pytest.mark.parametrize(
    ("optimizer", "count"),
    [
        (lambda: keras.optimizers.Adam(amsgrad=True, use_ema=True), 3),
        (lambda: keras.optimizers.SGD(momentum=0.9), 1),
        (lambda: keras.optimizers.SGD(), 0),
        (lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Lion()), 1),
    ],
)
def test_the_slots_of_an_optimizer(optimizer, count):
    inputs = keras.Input((3,))
    hidden = keras.layers.Dense(3, name="dense")(inputs)  # a name that begins another one
    network = keras.Model(inputs, keras.layers.Dense(3, name="dense_kernel")(hidden))
    optimizer = optimizer()
    assert list(_keras.slots(optimizer)) == []
    optimizer.build(network.trainable_variables)
    found = list(_keras.slots(optimizer))
    for variable in network.trainable_variables:
        mine = [slot for owner, slot in found if owner is variable]
        assert len(mine) == count
        assert all(slot.shape == variable.shape for slot in mine)
    assert len(found) == 4 * count
    assert list(_keras.slots(None)) == []


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "nadam", "rmsprop", "ftrl"])
def test_slots_of_variables_that_have_one_path(optimizer):
    class Twins(keras.Model):
        def __init__(self):
            super().__init__()
            self.a = keras.layers.Dense(4, name="x")
            self.b = keras.layers.Dense(4, name="x")

        def call(self, x):
            return self.a(x) + 0.0 * self.b(x)  # only the first has gradients

    model = Twins()
    model.compile(optimizer, "mse")
    model.fit(np.ones((8, 4)), np.zeros((8, 4)), verbose=0)
    assert model.a.kernel.path == model.b.kernel.path
    before = {id(s): np.array(s) for _, s in _keras.slots(model.optimizer)}
    model.fit(np.ones((8, 4)), np.zeros((8, 4)), verbose=0)
    changed = {
        id(owner)
        for owner, slot in _keras.slots(model.optimizer)
        if not np.array_equal(before[id(slot)], np.array(slot))
    }
    assert id(model.a.kernel) in changed
    assert id(model.b.kernel) not in changed
    assert id(model.b.kernel) in {id(owner) for owner, _ in _keras.slots(model.optimizer)}


def test_the_direction_of_a_metric():
    network = model()
    network.compile(
        "sgd", "mse", metrics=["mae", keras.metrics.AUC(name="area"), lambda y, p: p[0]]
    )
    network.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0)
    assert _keras.direction(network, "mae") == "min"
    assert _keras.direction(network, "area") == "max"
    assert _keras.direction(network, "nothing") is None


def test_functional_sequential_and_subclassed():
    class Subclassed(keras.Model):
        pass

    class OwnFunctional(keras.Model):
        pass

    inputs = keras.Input((3,))
    assert _keras.is_functional(model())
    assert _keras.is_functional(OwnFunctional(inputs, keras.layers.ReLU()(inputs)))
    assert not _keras.is_functional(keras.Sequential([inputs]))
    assert not _keras.is_functional(Subclassed())


def test_a_new_trace():
    network = model()
    _keras.retrace(network)
    network.compile("sgd", "mse")
    network.make_train_function()
    before = network.train_function
    _keras.retrace(network)
    assert network.train_function is not before


@pytest.mark.parametrize("kind", [*_keras.ACTIVATIONS, "Add", "Multiply"])
def test_the_kinds_of_operations(kind):
    names = {"HardSilu": "hard_silu", "LeakyRelu": "leaky_relu", "HardTanh": "hard_tanh"}
    names |= {"HardSigmoid": "hard_sigmoid"}
    tensor = keras.Input((3,))
    function = getattr(keras.ops, names.get(kind, kind.lower()))
    result = function(tensor, tensor) if kind in ("Add", "Multiply") else function(tensor)
    network = keras.Model(tensor, result)
    assert _keras.operation_kind(_keras.calls(network)[-1].operation) == kind
    if kind in ("Add", "Multiply"):
        assert _keras.operation_kind(getattr(keras.layers, kind)()) == kind


USE_ON_ANOTHER_BACKEND = """
import keras, numpy as np, pytest, tempfile
import kerasopt
from kerasopt.callbacks import BackupAndRestore, DropoutSchedule, EarlyStopping, Pruning
from kerasopt.callbacks import WeightPenalty
from kerasopt.export import to_tflite
from kerasopt.regularization import add_constraint, add_penalty, insert_dropout
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3), keras.layers.Dense(2)])
model = insert_dropout(model, 0.5)
add_penalty(model, 1e-3)
add_constraint(model, "non_neg")
model.compile("sgd", "mse")
x = np.ones((8, 4), "float32")
y = np.ones((8, 2), "float32")
folder = tempfile.mkdtemp()
for epochs in (2, 4):  # the second run goes on from the first one's backup
    stopper = EarlyStopping(monitor="loss", patience=9)
    callbacks = [stopper, BackupAndRestore(folder, delete_checkpoint=False)]
    history = model.fit(x, y, epochs=epochs, callbacks=callbacks, verbose=0)
    assert history.epoch == list(range(epochs))
with pytest.raises(RuntimeError, match="`kerasopt.callbacks.BackupAndRestore.save_freq=n.` needs"):
    model.fit(x, y, callbacks=[BackupAndRestore(folder + "/b", save_freq=3)], verbose=0)
assert kerasopt.pruning.mask([1.0, 2.0], 0.5).tolist() == [False, True]
kernels = [keras.ops.convert_to_numpy(one.kernel) for one in model.layers if one.weights[1:]]
zeros = sum((one == 0).sum() for one in kernels) / sum(one.size for one in kernels)
assert kerasopt.pruning.sparsity(model).total == zeros  # "non_neg" has made some
with pytest.raises(RuntimeError, match="`kerasopt.callbacks.Pruning` needs the TensorFlow backend"):
    model.fit(x, y, callbacks=[Pruning(0.5)], verbose=0)
for callback in (WeightPenalty(l2=0.1), DropoutSchedule(0.1)):
    with pytest.raises(RuntimeError, match="needs the TensorFlow backend"):
        model.fit(x, y, callbacks=[callback], verbose=0)
with pytest.raises(RuntimeError, match="`kerasopt.export.to_tflite` needs the TensorFlow backend"):
    to_tflite(model)
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_is_told_at_the_first_use(backend):
    pytest.importorskip(backend, reason=f"{backend} is not installed")
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", USE_ON_ANOTHER_BACKEND], check=True, env=environment)


def test_the_message_for_another_backend(monkeypatch):
    monkeypatch.setattr(keras.config, "backend", lambda: "jax")
    pruning = Pruning(0.5)
    pruning.set_model(model())
    with pytest.raises(RuntimeError, match=r"callbacks.Pruning.*'jax'.*KERAS_BACKEND=tensorflow"):
        pruning.on_train_begin()
    with pytest.raises(RuntimeError, match=r"export.to_tflite.*'jax'"):
        to_tflite(model())


class Look(keras.callbacks.Callback):
    """Run a function at the end of each epoch and keep what it gives."""

    def __init__(self, function):
        super().__init__()
        self.function, self.found = function, []

    def on_epoch_end(self, epoch, logs=None):
        self.found.append(self.function(self.model))


def looked(function, network=None, **arguments):
    network = network or model()
    if not network.compiled:
        network.compile("sgd", "mse")
    look = Look(function)
    given = {"x": np.ones((8, 3)), "y": np.ones((8, 2)), "batch_size": 2, **arguments}
    network.fit(**given, verbose=0, callbacks=[look])
    return look.found


def test_the_running_fit_is_on_the_stack():
    class Own(keras.Sequential):
        def fit(self, *args, **kwargs):
            return super().fit(*args, **kwargs)

    own = Own([keras.Input((3,)), keras.layers.Dense(2)])
    for network in (model(), own):
        assert _keras.running_fit(network) is None
        (frame,) = looked(_keras.running_fit, network)
        assert frame is not None
    other = model()
    assert looked(lambda _: _keras.running_fit(other)) == [None]


def test_whether_fit_validates():
    x, y = np.ones((8, 3)), np.ones((8, 2))
    assert looked(_keras.validates) == [False]
    assert looked(_keras.validates, validation_data=(x, y)) == [True]
    assert looked(_keras.validates, validation_split=0.5) == [True]
    assert _keras.validates(model()) is None


def test_the_list_of_callbacks_is_on_the_stack():
    (found,) = looked(lambda _: _keras.callback_list())
    assert isinstance(found, keras.callbacks.CallbackList)
    assert [type(one).__name__ for one in found.callbacks] == ["Look", "History"]
    assert _keras.callback_list() is None


def test_a_stopper_that_looks_at_epochs_lets_keras_run_ahead(monkeypatch):
    # Keras 3.15 never runs ahead on TensorFlow, where it holds its backend for not thread-safe.
    monkeypatch.setattr("keras.src.backend.IS_THREAD_SAFE", True)
    for callback, ahead in ((EarlyStopping(), True), (EarlyStopping(check=1), False)):
        callbacks = keras.callbacks.CallbackList([callback])
        assert callbacks._async_train is ahead
    single = keras.callbacks.CallbackList(EarlyStopping(check=1))
    assert single._async_train is True  # what Keras forgets
    _keras.run_in_step(single)
    assert single._async_train is False


def test_an_epoch_that_a_callback_begins_at():
    class Late(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            assert _keras.begin_at(self.model, 2) is None

    network = model()
    network.compile("sgd", "mse")
    x, y = np.ones((8, 3)), np.ones((8, 2))
    assert network.fit(x, y, epochs=4, verbose=0, callbacks=[Late()]).epoch == [2, 3]
    assert _keras.begin_at(network, None) == 2


def test_a_direction_is_learnt_before_anything_is_compared():
    callback = keras.callbacks.ReduceLROnPlateau("loss")
    callback.set_model(model())
    assert callback.monitor_op is None
    _keras.learn_direction(callback)
    assert callback.monitor_op is keras.ops.less


def test_the_position_in_the_data():
    assert looked(_keras.data_position, epochs=2) == [0, 0]
    data = tf.data.Dataset.from_tensor_slices((np.ones((8, 3)), np.ones((8, 2)))).batch(2).repeat()
    endless = {"x": data, "y": None, "batch_size": None, "steps_per_epoch": 3}
    assert looked(_keras.data_position, epochs=2, **endless) == [3, 6]


def test_setting_the_position_in_the_data():
    class Later(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 0:
                _keras.set_data_position(self.model, 5)

    network = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    network.compile("sgd", "mse", metrics=[])
    seen = []

    class See(keras.utils.PyDataset):
        num_batches = None

        def __getitem__(self, index):
            return np.full((1, 1), index, "float32"), np.full((1, 1), index, "float32")

    network.set_weights([np.zeros((1, 1)), np.zeros(1)])
    network.optimizer.learning_rate = 0.0
    look = Look(lambda model: seen.append(float(model.get_metrics_result()["loss"])))
    network.fit(See(), steps_per_epoch=1, epochs=2, verbose=0, callbacks=[Later(), look])
    assert seen == [25.0, 36.0]  # the squares of the sixth and seventh batch's numbers


def test_the_global_seed_generator():
    keras.utils.clear_session(free_memory=False)
    assert _keras.global_seed() is None
    made = _keras.global_seed(create=True)
    assert _keras.global_seed() is made
    before = keras.ops.convert_to_numpy(made.state).tolist()
    keras.random.normal((2,))
    assert keras.ops.convert_to_numpy(made.state).tolist() != before


def test_the_replicas_of_a_variable(mirrored):
    plain = keras.Variable(np.ones(2))
    assert _keras.replicas(plain) == [plain]
    with mirrored.scope():
        shared = keras.Variable(np.ones(2))
    assert [one.numpy().tolist() for one in _keras.replicas(shared)] == [[1, 1], [1, 1]]


@pytest.mark.parametrize("cls", _keras.CALLBACK_STATES, ids=lambda cls: cls.__name__)
def test_what_keras_callbacks_remember(cls):
    arguments = {keras.callbacks.ModelCheckpoint: ("a.keras",)}.get(cls, ())
    callback = cls(*arguments)
    callback.set_model(model())
    if cls is not keras.callbacks.SwapEMAWeights:
        callback.on_train_begin()
    assert all(hasattr(callback, name) for name in _keras.CALLBACK_STATES[cls])
