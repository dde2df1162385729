"""Distillation: the loss beside SciPy's, and students that really learn from teachers."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest
import scipy.special
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from keras import layers, ops

from kerasopt.callbacks import EarlyStopping, Pruning
from kerasopt.distillation import OutputDistiller, distillation_loss
from kerasopt.schedules import PolynomialDecay
from tests.conftest import examples

LOGITS = arrays(np.float64, (3, 4), elements=st.floats(-30, 30))
# TensorFlow may take subnormal numbers, in float32 all below this, for zero.
TINY = float(np.finfo(np.float32).tiny)
TEMPERATURES = st.floats(0.5, 20)
CROSSENTROPY = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def softmax_loss(student, teacher, temperature):
    p, q = (scipy.special.softmax(z / temperature, axis=-1) for z in (teacher, student))
    return temperature**2 * scipy.special.rel_entr(p, q).sum(-1)


def sigmoid_loss(student, teacher, temperature):
    p, q = (scipy.special.expit(z / temperature) for z in (teacher, student))
    p_not, q_not = (scipy.special.expit(-z / temperature) for z in (teacher, student))
    both = scipy.special.rel_entr(p, q) + scipy.special.rel_entr(p_not, q_not)
    return temperature**2 * both.mean(-1)


# The loss alone.


@examples(40)
@given(LOGITS, LOGITS, TEMPERATURES)
def test_the_loss_of_classes_is_that_of_scipy(student, teacher, temperature):
    expected = softmax_loss(student, teacher, temperature)
    found = distillation_loss(student, teacher, temperature)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-10)
    as_probabilities = [scipy.special.softmax(z, axis=-1) for z in (student, teacher)]
    found = distillation_loss(*as_probabilities, temperature, from_logits=False)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-10)


@examples(40)
@given(LOGITS, LOGITS, TEMPERATURES)
def test_the_loss_of_labels_is_that_of_scipy(student, teacher, temperature):
    expected = sigmoid_loss(student, teacher, temperature)
    found = distillation_loss(student, teacher, temperature, kind="sigmoid")
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-10)
    pair = (student, scipy.special.expit(teacher))
    found = distillation_loss(*pair, temperature, kind="sigmoid", from_logits=(True, False))
    # 1 - p has lost digits before the loss sees it.
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


@examples(30)
@given(LOGITS, LOGITS)
@example(np.full((3, 4), 1e-160), np.zeros((3, 4)))  # whose square is subnormal
@example(np.full((3, 4), 1e-20), np.zeros((3, 4)))  # whose square is so in float32
def test_the_loss_of_values_is_the_mean_squared_error_at_any_temperature(student, teacher):
    expected = keras.losses.mean_squared_error(teacher, student)
    np.testing.assert_allclose(
        distillation_loss(student, teacher, 9.0, "linear"), expected, atol=TINY
    )
    column = distillation_loss(student[:, 0], teacher[:, 0], kind="linear")
    np.testing.assert_allclose(column, (student[:, 0] - teacher[:, 0]) ** 2, atol=TINY)


def test_at_a_high_temperature_its_gradient_is_that_of_matching_logits():
    # Hinton et al. (2015), equation 4: for logits of mean zero, (s - t) / N.
    import tensorflow as tf

    rng = np.random.default_rng(0)
    student, teacher = (z - z.mean(-1, keepdims=True) for z in rng.normal(size=(2, 5, 6)))
    variable = tf.Variable(student)
    with tf.GradientTape() as tape:
        loss = ops.sum(distillation_loss(variable, teacher, temperature=1000.0))
    np.testing.assert_allclose(tape.gradient(loss, variable), (student - teacher) / 6, atol=2e-3)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("kind", ["softmax", "sigmoid"])
def test_probabilities_of_zero_and_one_have_a_finite_loss_and_gradient(kind, dtype):
    import tensorflow as tf

    student = tf.Variable(tf.cast([[0.0, 1.0], [1e-7, 1.0], [0.5, 0.5]], dtype))
    teacher = tf.cast([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], dtype)
    with tf.GradientTape() as tape:
        loss = distillation_loss(student, teacher, 4.0, kind, from_logits=False)
    assert np.isfinite(loss).all()
    assert (loss.numpy() >= -1e-5).all()
    assert np.isfinite(tf.cast(tape.gradient(loss, student), "float32")).all()


def test_logits_of_minus_infinity_are_classes_that_are_ruled_out():
    import tensorflow as tf

    student, teacher = np.array([[1.0, 0.5, -np.inf]]), np.array([[2.0, 0.0, -np.inf]])
    variable = tf.Variable(student)
    with tf.GradientTape() as tape:
        loss = distillation_loss(variable, teacher, 2.0)
    expected = softmax_loss(student[:, :2], teacher[:, :2], 2.0)
    np.testing.assert_allclose(loss, expected, rtol=1e-6)
    assert np.isfinite(tape.gradient(loss, variable)).all()


def test_the_loss_checks_its_arguments():
    z = np.zeros((1, 2))
    with pytest.raises(ValueError, match=r"`temperature`\. Expected a float > 0"):
        distillation_loss(z, z, temperature=0.0)
    with pytest.raises(ValueError, match=r"`kind`.*Did you mean 'softmax'"):
        distillation_loss(z, z, kind="softmx")
    with pytest.raises(TypeError, match="`from_logits`"):
        distillation_loss(z, z, from_logits="yes")
    with pytest.raises(ValueError, match="`from_logits`"):
        distillation_loss(z, z, from_logits="auto")


# Models.


def chain(*more, width=16, name=None, activation=None, **arguments):
    hidden = layers.Dense(width, activation="relu")
    top = layers.Dense(3, activation=activation, **arguments)
    return keras.Sequential([keras.Input((12,)), hidden, *more, top], name=name)


class Written(keras.Model):
    """A subclassed model; its `call` takes no `training`."""

    def __init__(self, activation=None, **kwargs):
        super().__init__(**kwargs)
        self.activation = activation
        self.hidden = layers.Dense(16, activation="relu")
        self.drop = layers.Dropout(0.3)
        self.top = layers.Dense(3, activation=activation)

    def call(self, inputs):
        return self.top(self.drop(self.hidden(inputs)))

    def get_config(self):
        return {**super().get_config(), "activation": self.activation}


def written(activation=None):
    model = Written(activation)
    model(np.zeros((1, 12), "float32"))
    return model


def scale(model, by):
    """Make random models different from each other, and sure of what they say."""
    model.set_weights([by * weight for weight in model.get_weights()])
    return model


def one_step(distiller, x, y=None, loss=CROSSENTROPY, run_eagerly=True):
    """Give the logs of a step that changes nothing."""
    distiller.compile(keras.optimizers.SGD(0.0), loss, run_eagerly=run_eagerly)
    return distiller.fit(x, y, batch_size=len(x), shuffle=False, verbose=0).history


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
def test_the_loss_is_the_mixture_with_weights_and_the_regularization_once(blobs, alpha):
    x, y = blobs
    student = chain(kernel_regularizer="l2", activity_regularizer=keras.regularizers.L2(0.1))
    teacher = scale(chain(kernel_regularizer=keras.regularizers.L2(9.0)), 1.5)
    weights = np.random.default_rng(1).uniform(0, 2, len(x)).astype("float32")
    distiller = OutputDistiller(teacher, student, temperature=3.0, alpha=alpha)
    distiller.compile(keras.optimizers.SGD(0.0), CROSSENTROPY)
    history = distiller.fit(x, y, 256, sample_weight=weights, verbose=0).history
    z, t = student(x).numpy(), teacher(x).numpy()
    hard = (weights * -scipy.special.log_softmax(z, axis=-1)[np.arange(len(x)), y]).mean()
    soft = (weights * softmax_loss(z, t, 3.0)).mean()
    regularization = float(sum(student.losses))
    assert regularization > 0.1
    expected = alpha * hard + (1 - alpha) * soft + regularization
    np.testing.assert_allclose(history["loss"][0], expected, rtol=1e-5)
    np.testing.assert_allclose(history["distillation_loss"][0], soft, rtol=1e-5)
    # Evaluated, it is the student with its own loss.
    found = distiller.evaluate(x, y, sample_weight=weights, verbose=0, return_dict=True)
    assert list(found) == ["loss"]
    np.testing.assert_allclose(found["loss"], hard + regularization, rtol=1e-2)


def test_a_class_weight_is_the_weight_of_its_samples(blobs):
    x, y = blobs
    distiller = OutputDistiller(scale(chain(), 2.0), chain())
    distiller.compile(keras.optimizers.SGD(0.0), CROSSENTROPY)
    by_class = distiller.fit(x, y, class_weight={0: 0.2, 1: 1.0, 2: 3.0}, verbose=0).history
    weights = np.array([0.2, 1.0, 3.0])[y]
    by_sample = distiller.fit(x, y, sample_weight=weights, verbose=0).history
    plain = distiller.fit(x, y, verbose=0).history
    for name, value in by_class.items():
        assert value == pytest.approx(by_sample[name], rel=1e-5)
        assert value != pytest.approx(plain[name], rel=1e-2)


def test_probabilities_and_logits_of_either_model_are_the_same(blobs):
    x, y = blobs
    losses = []
    student, teacher = scale(chain(), 2.0), scale(chain(), 3.0)
    for ends in (None, "softmax", "log_softmax"):
        for other_ends in (None, "softmax", "own_layer"):
            pair = []
            for model, end in ((student, ends), (teacher, other_ends)):
                copy = keras.models.clone_model(model)
                copy.set_weights(model.get_weights())
                if end is not None:
                    last = layers.Activation(end) if end != "own_layer" else layers.Softmax()
                    copy = keras.Sequential([keras.Input((12,)), copy, last])
                pair.insert(0, copy)  # the teacher first
            loss = CROSSENTROPY if ends is None else "sparse_categorical_crossentropy"
            losses += one_step(OutputDistiller(*pair), x, y, loss)["distillation_loss"]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-4)


MODES = {
    "eager": {"run_eagerly": True},
    "xla": {"jit_compile": True},
    "several steps": {"jit_compile": False, "steps_per_execution": 3},
}


def test_every_way_to_run_ends_alike_with_the_student_trained_in_place(blobs):
    x, y = blobs
    first, teacher = chain().get_weights(), scale(chain(), 2.0)
    ended = {}
    for mode, arguments in MODES.items():
        student = chain()
        student.set_weights(first)
        variables = student.trainable_variables
        distiller = OutputDistiller(teacher, student)
        optimizer = keras.optimizers.Adam(0.01, clipnorm=0.5)
        distiller.compile(optimizer, CROSSENTROPY, metrics=["accuracy"], **arguments)
        logs = distiller.fit(x, y, epochs=3, shuffle=False, verbose=0).history
        assert sorted(logs) == ["accuracy", "distillation_loss", "loss"]
        assert logs["loss"][-1] < 0.8 * logs["loss"][0]
        assert all(a is b for a, b in zip(variables, student.trainable_variables, strict=True))
        assert len(optimizer.variables) == 2 + 2 * len(variables)
        ended[mode] = student(x).numpy()
    for mode in MODES:
        np.testing.assert_allclose(ended[mode], ended["eager"], atol=2e-3, err_msg=mode)


class Dreams(layers.Layer):
    """Drops in inference too, and counts its calls: what an unkind teacher may do."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.drop = layers.Dropout(0.5, seed=1)
        self.count = self.add_weight(shape=(), trainable=False, initializer="zeros")

    def call(self, inputs):
        self.count.assign_add(1.0)
        return self.drop(inputs, training=True)


@pytest.mark.parametrize("eager", [True, False])
def test_nothing_of_the_teacher_changes(blobs, eager):
    x, y = blobs
    norm = layers.BatchNormalization(momentum=0.5)
    teacher = chain(norm, layers.Dropout(0.5), Dreams(), kernel_regularizer="l1")
    teacher.layers[0].trainable = False
    flags = [layer.trainable for layer in teacher.layers]
    before = [ops.convert_to_numpy(variable).copy() for variable in teacher.variables]
    own_norm, own_drop = layers.BatchNormalization(momentum=0.5), layers.Dropout(0.5)
    student = chain(own_norm, own_drop)
    seed = np.array(own_drop.seed_generator.state)
    mean = np.array(own_norm.moving_mean)
    distiller = OutputDistiller(teacher, student, alpha=0.2)
    distiller.compile("adam", CROSSENTROPY, run_eagerly=eager)
    distiller.fit(x, y, validation_data=(x, y), verbose=0)
    for variable, value in zip(teacher.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value, err_msg=variable.path)
    assert [layer.trainable for layer in teacher.layers] == flags
    own = {id(variable) for variable in teacher.variables}
    assert not own & {id(variable) for variable in distiller.variables}
    assert distiller.count_params() == student.count_params()
    # The student runs as it does in training.
    assert (np.array(own_drop.seed_generator.state) != seed).any()
    assert (np.array(own_norm.moving_mean) != mean).all()


def test_labels_and_values_and_one_column(blobs):
    x, _ = blobs
    several = np.random.default_rng(0).integers(0, 2, (len(x), 3))
    student, teacher = chain(), scale(chain(), 2.0)
    z, t = student(x).numpy(), teacher(x).numpy()
    binary = keras.losses.BinaryCrossentropy(from_logits=True)
    found = one_step(OutputDistiller(teacher, student), x, several, binary)["distillation_loss"][0]
    np.testing.assert_allclose(found, sigmoid_loss(z, t, 4.0).mean(), rtol=1e-4)
    top = keras.Sequential([keras.Input((12,)), teacher, layers.Activation("sigmoid")])
    found = one_step(OutputDistiller(top, student), x, several, binary)["distillation_loss"][0]
    np.testing.assert_allclose(found, sigmoid_loss(z, t, 4.0).mean(), rtol=1e-4)
    for loss in ("mse", keras.losses.Huber(), keras.losses.mean_absolute_error):
        found = one_step(OutputDistiller(teacher, student), x, several, loss)["distillation_loss"][
            0
        ]
        np.testing.assert_allclose(found, ((z - t) ** 2).mean(), rtol=1e-4)
    # Said by the user, against the loss.
    distiller = OutputDistiller(teacher, student, kind="softmax", from_logits=True)
    found = one_step(distiller, x, several, "mse")["distillation_loss"][0]
    np.testing.assert_allclose(found, softmax_loss(z, t, 4.0).mean(), rtol=1e-4)
    # Values of softmaxes, compared as they are.
    pair = [keras.Sequential([keras.Input((12,)), m, layers.Softmax()]) for m in (teacher, student)]
    found = one_step(OutputDistiller(*pair, kind="linear"), x, several, "mse")["distillation_loss"][
        0
    ]
    p, q = scipy.special.softmax(z, axis=-1), scipy.special.softmax(t, axis=-1)
    np.testing.assert_allclose(found, ((p - q) ** 2).mean(), rtol=1e-4)


def heads(as_dict, width=8):
    """Give a model of two inputs and two outputs: classes and values."""
    a, b = keras.Input((12,), name="a"), keras.Input((12,), name="b")
    body = keras.Sequential([keras.Input((12,)), layers.Dense(width, "relu")], name="body")
    both = layers.Concatenate()([body(a), body(b)])
    classes = layers.Dense(3, "softmax", name="classes")(both)
    value = layers.Dense(1, name="value")(both)
    outputs = {"classes": classes, "value": value} if as_dict else [classes, value]
    return keras.Model({"a": a, "b": b} if as_dict else [a, b], outputs)


@pytest.mark.parametrize("as_dict", [True, False])
def test_several_inputs_and_outputs_each_with_its_weights(blobs, as_dict):
    x, y = blobs
    student, teacher = heads(as_dict), scale(heads(as_dict, width=12), 2.0)
    rng = np.random.default_rng(0)
    names = ["classes", "value"]
    targets = [y, rng.normal(size=(len(x), 1)).astype("float32")]
    weights = [rng.uniform(0, 2, len(x)).astype("float32") for _ in names]
    losses = ["sparse_categorical_crossentropy", "mse"]
    data = [{"a": x, "b": x[::-1]}] if as_dict else [[x, x[::-1]]]
    both = [targets, weights]
    data += [dict(zip(names, one, strict=True)) for one in both] if as_dict else both
    distiller = OutputDistiller(teacher, student)
    by_name = dict(zip(names, losses, strict=True))
    loss_weights = {"classes": 1.0, "value": 0.25}
    distiller.compile(keras.optimizers.SGD(0.0), by_name, loss_weights)
    found = distiller.fit(data[0], data[1], 256, sample_weight=data[2], verbose=0).history
    z, t = (
        [output.numpy() for output in keras.tree.flatten(model(data[0]))]
        for model in (student, teacher)
    )
    classes = softmax_loss(np.log(z[0]), np.log(t[0]), 4.0)
    value = ((z[1] - t[1]) ** 2)[:, 0]
    expected = (weights[0] * classes).mean() + 0.25 * (weights[1] * value).mean()
    np.testing.assert_allclose(found["distillation_loss"][0], expected, rtol=1e-4)
    assert {"classes_loss", "value_loss"} <= set(found)
    hard = found["classes_loss"][0] + 0.25 * found["value_loss"][0]
    np.testing.assert_allclose(found["loss"][0], (hard + expected) / 2, rtol=1e-4)


def test_sequences_leave_out_what_is_masked():
    def model(activation):
        inputs = keras.Input((5,), dtype="int32")
        x = layers.Embedding(9, 4, mask_zero=True)(inputs)
        x = layers.LSTM(4, return_sequences=True)(x)
        top = layers.Dense(6, activation=activation)
        return keras.Model(inputs, layers.TimeDistributed(top)(x))

    student, teacher = model(None), scale(model("softmax"), 4.0)
    x = np.array([[1, 2, 3, 0, 0], [4, 5, 6, 7, 8]])
    y = np.ones((2, 5), int)
    distiller = OutputDistiller(teacher, student)
    found = one_step(distiller, x, y, run_eagerly=False)["distillation_loss"][0]
    values = softmax_loss(student(x).numpy(), np.log(teacher(x)), 4.0)
    np.testing.assert_allclose(found, values[x > 0].mean(), rtol=1e-4)


@pytest.mark.parametrize("who", ["teacher", "both"])
def test_subclassed_models(blobs, who):
    x, y = blobs
    student = chain() if who == "teacher" else written()
    teacher = written("softmax")
    teacher.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    teacher.optimizer.learning_rate = 0.02
    teacher.fit(x, y, epochs=5, verbose=0)
    distiller = OutputDistiller(teacher, student, alpha=0.0)
    distiller.compile(keras.optimizers.Adam(0.02), CROSSENTROPY)
    logs = distiller.fit(x, y, epochs=8, verbose=0).history
    assert logs["distillation_loss"][-1] < 0.3 * logs["distillation_loss"][0]
    agree = distiller.predict(x, verbose=0).argmax(-1) == teacher.predict(x, verbose=0).argmax(-1)
    assert agree.mean() > 0.9


def test_a_student_in_mixed_precision_even_with_its_softmax_in_float16(blobs):
    x, y = blobs
    teacher = chain(activation="softmax")
    teacher.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    teacher.fit(x, y, epochs=5, verbose=0)
    keras.config.set_dtype_policy("mixed_float16")
    student = chain(activation="softmax")
    keras.config.set_dtype_policy("float32")
    distiller = OutputDistiller(teacher, student, alpha=0.0)
    distiller.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    assert student.outputs[0].dtype == "float16"
    assert type(distiller.optimizer).__name__ == "LossScaleOptimizer"
    logs = distiller.fit(x, y, epochs=8, verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    assert (student.predict(x, verbose=0).argmax(-1) == y).mean() > 0.9


def test_callbacks_see_the_student_alone(blobs):
    x, y = blobs
    student, teacher = chain(name="pupil"), chain()
    distiller = OutputDistiller(teacher, student)
    distiller.compile(keras.optimizers.Adam(0.05), CROSSENTROPY, metrics=["accuracy"])
    schedule = PolynomialDecay(0.0, 0.5, begin=0, end=0.3)
    pruning = Pruning(schedule, exclude=student.layers[-1])
    stopper = EarlyStopping("val_loss", patience=1, restore_best_weights=True)
    before = teacher.get_weights()
    logs = distiller.fit(
        x, y, epochs=6, validation_data=(x, y), callbacks=[pruning, stopper], verbose=0
    ).history
    assert set(logs) == {
        "accuracy", "distillation_loss", "loss", "sparsity", "val_accuracy", "val_loss"
    }  # fmt: skip
    assert logs["sparsity"][-1] == 0.5
    assert [target.path for target in pruning.selection] == ["pupil/dense/kernel"]
    for weight, value in zip(teacher.weights, before, strict=True):
        np.testing.assert_array_equal(weight, value)
    again = distiller.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(again[0], min(logs["val_loss"][2:]), rtol=1e-4)
    student.compile("sgd", CROSSENTROPY, metrics=["accuracy"])
    np.testing.assert_allclose(student.evaluate(x, y, verbose=0), again, rtol=1e-4)
    assert distiller.test_on_batch(x, y, return_dict=True).keys() == {"loss", "accuracy"}
    assert "distillation_loss" in distiller.train_on_batch(x, y, return_dict=True)


def test_without_labels_and_without_a_loss(blobs):
    x, y = blobs
    teacher = chain(activation="softmax")
    distiller = OutputDistiller(teacher, chain(kernel_regularizer="l2"), alpha=0.0)
    distiller.compile("adam")
    logs = distiller.fit(x, epochs=1, verbose=0).history
    assert logs["distillation_loss"][0] > 0
    distiller.compile("adam", metrics=["accuracy"])
    assert "accuracy" in distiller.fit(x, y, verbose=0).history
    found = distiller.evaluate(x, y, verbose=0, return_dict=True)
    np.testing.assert_allclose(found["loss"], float(sum(distiller.losses)), rtol=1e-5)
    with pytest.raises(ValueError, match=r"`loss`.*Only with `alpha=0.0`"):
        OutputDistiller(teacher, chain()).compile("adam")


def test_replicas_count_each_loss_once(blobs, mirrored):
    x, y = blobs
    found = {}
    first = chain().get_weights()
    for name, scope in (("one", None), ("two", mirrored)):
        keras.utils.set_random_seed(3)
        with scope.scope() if scope else mirrored.__class__(["CPU:0"]).scope():
            student = chain(kernel_regularizer="l2")
            student.set_weights(first)
            distiller = OutputDistiller(scale(chain(), 2.0), student)
            distiller.compile(keras.optimizers.SGD(0.1), CROSSENTROPY)
        logs = distiller.fit(x, y, 64, shuffle=False, verbose=0).history
        found[name] = (logs["loss"][0], logs["distillation_loss"][0], *student.get_weights())
    for one, two in zip(found["one"], found["two"], strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5)


# Saving.


@pytest.mark.parametrize("subclassed", [False, True])
def test_it_is_saved_and_loaded_with_both_models_and_the_optimizer(blobs, tmp_path, subclassed):
    x, y = blobs
    with keras.saving.custom_object_scope({"Written": Written}):
        student = written("softmax") if subclassed else chain(layers.BatchNormalization())
        teacher = written("softmax") if subclassed else scale(chain(), 2.0)
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=not subclassed)
        distiller = OutputDistiller(
            teacher, student, temperature=2.0, alpha=0.25, name="lesson", from_logits="auto"
        )
        if subclassed:
            teacher.compile("adam", loss)
            teacher.fit(x, y, verbose=0)
        distiller.compile("adam", loss, metrics=["accuracy"])
        distiller.fit(x, y, verbose=0)
        distiller.save(tmp_path / "lesson.keras")
        loaded = keras.saving.load_model(tmp_path / "lesson.keras")
        assert (loaded.temperature, loaded.alpha, loaded.name) == (2.0, 0.25, "lesson")
        for one, other in ((student, loaded.student), (teacher, loaded.teacher)):
            np.testing.assert_array_equal(one(x), other(x))
        assert int(loaded.optimizer.iterations) == int(distiller.optimizer.iterations)
        again = [one.train_on_batch(x[:8], y[:8]) for one in (distiller, loaded)]
        assert len(again[0]) == 3
        if not subclassed:
            np.testing.assert_allclose(*again, rtol=1e-4)
        distiller.save_weights(tmp_path / "lesson.weights.h5")
        loaded.load_weights(tmp_path / "lesson.weights.h5")
        np.testing.assert_array_equal(student(x), loaded.student(x))


def test_the_config_makes_an_equal_one():
    kinds = {"classes": "softmax", "value": "linear"}
    distiller = OutputDistiller(
        heads(True), heads(True), temperature=3.0, kind=kinds, from_logits=(False, "auto")
    )
    again = OutputDistiller.from_config(distiller.get_config())
    assert again.get_config() == distiller.get_config()
    assert again.kind == kinds
    assert again.from_logits == (False, "auto")


# What is wrong is said before anything trains.


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"temperature": 0.0}, ValueError, r"`temperature`\. Expected a float > 0"),
        ({"temperature": float("nan")}, ValueError, "`temperature`.*finite"),
        ({"temperature": "hot"}, TypeError, "`temperature`"),
        ({"alpha": 1.1}, ValueError, r"`alpha`\. Expected a float in \[0, 1\].*alpha=1.1"),
        ({"alpha": float("nan")}, ValueError, "`alpha`"),
        ({"alpha": True}, TypeError, "`alpha`"),
        ({"kind": "sofmax"}, ValueError, "`kind`.*Did you mean 'softmax'"),
        ({"from_logits": "maybe"}, TypeError, "`from_logits`"),
        ({"teacher": layers.Dense(3)}, TypeError, r"`teacher`\. Expected a Keras model"),
        ({"student": lambda x: x}, TypeError, r"`student`\. Expected a Keras 3 model"),
        ({"student": keras.Sequential([layers.Dense(3)])}, ValueError, "`student`.*built"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        OutputDistiller(**{"student": chain(), "teacher": chain(), **arguments})


def small(inputs, units=3, activation=None):
    flat = inputs if isinstance(inputs, list) else keras.tree.flatten(inputs)
    x = layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    return keras.Model(inputs, layers.Dense(units, activation)(x))


def test_models_that_do_not_fit_together():
    one, two = keras.Input((4,), name="one"), keras.Input((4,), name="two")
    too = keras.Input((4,), name="too")
    with pytest.raises(ValueError, match=r"gives \(None, 3\), the teacher .* gives \(None, 5\)"):
        OutputDistiller(small(two, 5), small(one))
    with pytest.raises(ValueError, match=r"takes \(None, 4\), the teacher .*\(None, 6\)"):
        OutputDistiller(small(keras.Input((6,))), small(one))
    with pytest.raises(ValueError, match=r"takes \(None, 4\), the teacher .*\[\(None, 4\), "):
        OutputDistiller(small([one, two]), small(one))
    with pytest.raises(ValueError, match=r"takes \{'one': \(None, 4\)"):
        OutputDistiller(small({"one": one, "too": too}), small({"one": one, "two": two}))
    OutputDistiller(small([one, two]), small({"one": one, "two": two}))  # by name
    with pytest.raises(ValueError, match=r"gives \(None, 3\), the teacher .*\(None, 5\)"):
        OutputDistiller(keras.Sequential([keras.Input((12,)), layers.Dense(5)]), written())
    student = small(one)
    with pytest.raises(ValueError, match="It is the student"):
        OutputDistiller(student, student)
    with pytest.raises(ValueError, match=r"Both have .*kernel"):
        OutputDistiller(keras.Sequential([one, *student.layers[1:]]), student)


def test_outputs_that_cannot_be_known(blobs):
    x, y = blobs
    probabilities = chain(activation="softmax")
    crossentropy = "sparse_categorical_crossentropy"
    with pytest.raises(ValueError, match=r"`kind`\. Expected \"softmax\" \(one class"):
        OutputDistiller(chain(), chain()).compile("adam", lambda t, p: ops.mean(p))
    with pytest.raises(ValueError, match="the student ends with softmax, the teacher .* sigmoid"):
        OutputDistiller(chain(activation="sigmoid"), probabilities).compile("adam", crossentropy)
    with pytest.raises(ValueError, match="the student ends without softmax, but its loss"):
        OutputDistiller(probabilities, chain()).compile("adam", crossentropy)
    image = keras.Sequential([keras.Input((3, 3, 4)), layers.Softmax(axis=1)])
    with pytest.raises(ValueError, match="over axis 1"):
        OutputDistiller(keras.models.clone_model(image), image)
    distiller = OutputDistiller(heads(True), heads(True), kind={"valeu": "linear"})
    with pytest.raises(ValueError, match=r"`kind`.*Did you mean 'value'"):
        distiller.compile("adam", {"classes": crossentropy, "value": "mse"})
    # A teacher without a graph that was not compiled: only the user knows.
    teacher = written("softmax")
    with pytest.raises(ValueError, match="output of the teacher is tells neither"):
        OutputDistiller(teacher, chain()).compile("adam", CROSSENTROPY)
    found = one_step(OutputDistiller(teacher, chain(), from_logits=(True, False)), x, y)
    assert found["distillation_loss"][0] > 0
    # Neither has a graph: said before the first step.
    student = written()
    before = student.get_weights()
    distiller = OutputDistiller(teacher, student)
    distiller.compile("adam", CROSSENTROPY)
    with pytest.raises(ValueError, match="output of the teacher is tells neither"):
        distiller.fit(x, y, verbose=0)
    np.testing.assert_array_equal(student.get_weights()[0], before[0])


def test_last_layers_are_seen_through_what_does_not_change_them():
    inputs = keras.Input((12,))
    inner = keras.Model(inputs, layers.Dense(3, "softmax")(inputs))
    ensemble = layers.Average()([inner(inputs), ops.softmax(layers.Dense(3)(inputs))])
    tops = {
        "nested and averaged": ensemble,
        "cast": ops.cast(inner(inputs), "float32"),
        "linear activation": layers.Activation("linear")(inner(inputs)),
        "dropout": layers.Dropout(0.2)(inner(inputs)),
        "layer as activation": layers.Dense(3, layers.Softmax())(inputs),
    }
    for name, outputs in tops.items():
        teacher = keras.Model(inputs, outputs)
        distiller = OutputDistiller(teacher, chain())
        distiller.compile("adam", CROSSENTROPY)
        form = distiller._forms(distiller.student.outputs[0], CROSSENTROPY)[0]
        assert (form.kind, form.from_logits) == ("softmax", (True, False)), name


# Behaviour.


def test_a_student_learns_digits_from_a_teacher_in_spite_of_random_labels():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")

    def network(width):
        hidden = layers.Dense(width, "relu")
        return keras.Sequential([keras.Input((64,)), hidden, layers.Dense(10, "softmax")])

    teacher, student, alone = network(128), network(24), network(24)
    alone.set_weights(student.get_weights())
    crossentropy = "sparse_categorical_crossentropy"
    teacher.compile(keras.optimizers.Adam(0.005), crossentropy)
    teacher.fit(x[:1300], y[:1300], 64, epochs=8, verbose=0)
    wrong = np.random.default_rng(0).integers(0, 10, 1300)
    distiller = OutputDistiller(teacher, student, alpha=0.0)
    distiller.compile(keras.optimizers.Adam(0.01), crossentropy)
    distiller.fit(x[:1300], wrong, 64, epochs=20, verbose=0)
    alone.compile(keras.optimizers.Adam(0.01), crossentropy)
    alone.fit(x[:1300], wrong, 64, epochs=5, verbose=0)
    said, taught, untaught = (
        model.predict(x[1300:], verbose=0).argmax(-1) for model in (teacher, student, alone)
    )
    assert (taught == said).mean() > 0.9
    assert (taught == y[1300:]).mean() > 0.85
    assert (untaught == y[1300:]).mean() < 0.4


def test_the_example_of_the_page_runs():
    page = Path(__file__).parents[2] / "docs" / "regularization.md"
    section = page.read_text().split("## A teacher", 1)[1].split("\n## ", 1)[0]
    block = re.search(r"```python\n(.*?)```", section, re.DOTALL)[1]
    names = {}
    exec(block, names)
    assert names["student"].evaluate(names["x"], names["y"], verbose=0)[1] > 0.85
