"""Knowledge distillation: a student learns from the labels and from a teacher, in a plain `fit`."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Self

import keras
from keras import ops

from kerasopt import selection
from kerasopt._core.checks import bad_type, bad_value, meant_share, number, one_of, positive
from kerasopt.distillation.compatibility import check_inputs, check_outputs, inputs_of, outputs_of
from kerasopt.distillation.loss import KINDS, as_pair, divergence
from kerasopt.distillation.outputs import Form, by_output, endings, forms_of


@keras.saving.register_keras_serializable(package="kerasopt")
class OutputDistiller(keras.Model):
    r"""Train a model, the student, on the labels and on what a better model, the teacher, says.

    `compile` and `fit` are Keras's own. The loss of training is

    alpha L(y, student) + (1 - alpha) D(teacher, student) + the student's regularization,

    where L is the compiled loss and D, with temperature T, is T^2 KL(softmax(teacher's logits / T)
    || softmax(student's logits / T)) for classes (Hinton et al., 2015, "Distilling the Knowledge in
    a Neural Network"), the like with a sigmoid for labels, and the mean squared error for values:
    see `distillation_loss`. Outputs that are probabilities are taken back to logits, so that either
    model may end with or without a softmax. Of several outputs each is distilled; D is their sum,
    with the `loss_weights` of `compile`.

    D is the mean over samples (over positions too, where outputs are sequences or images). Each is
    multiplied by its `sample_weight` or class weight, and masked ones are left out, as in Keras's
    `"sum_over_batch_size"`, whatever the reduction of L. `fit`'s history gets it as
    `distillation_loss`, not multiplied by 1 - alpha.

    The student is trained in place: after `fit` it is the model to use and to save. The teacher
    runs in inference; it is no layer of the distiller, so its weights, moving averages, seeds and
    `trainable` flags stay as they are, and callbacks of the distiller (`Pruning`, `EarlyStopping`)
    see the student alone. A `train_step` or `compute_loss` of the student's own class is not used.
    In validation and `evaluate` the loss is L of the student (and its regularization) and the
    teacher is not asked; `predict` gives the student's outputs.

    What outputs are is found by their last layers, then by the losses with which the distiller, the
    student and the teacher are compiled; where neither tells, `kind` and `from_logits` do.

    Args:
        teacher: A built `keras.Model` that takes the same inputs and gives outputs of the same
            shapes. It shares no weights that train with the student.
        student: A built `keras.Model`, of any style.
        temperature: Float > 0, T. Higher shows more of what the teacher thinks of wrong classes.
            Defaults to `4.0`.
        alpha: Float in [0, 1], the share of the labels. With `0.0` they are not used, and `fit(x)`
            needs none where `compile` has no loss. Defaults to `0.5`.
        kind: What outputs are: `"softmax"` (classes of which one is right), `"sigmoid"` (labels
            each of which may be right), `"linear"` (values, compared as they are), or `"auto"`;
            or a list or dict of these by output. Defaults to `"auto"`.
        from_logits: Whether outputs, where their last layer does not tell, are logits (`True`) or
            probabilities (`False`), or `"auto"`; or a pair of these, for the student and for the
            teacher. Defaults to `"auto"`.
        **kwargs: `name` and `trainable`, as of `keras.Model`.

    Raises:
        TypeError: If `student` or `teacher` is no Keras model, or an argument is of the wrong type.
        ValueError: If a model is not built, the two are one or share weights, their inputs or
            outputs differ, or `temperature` or `alpha` is out of range. By `compile` (by `fit`,
            before the first step, where neither model has a graph): if it cannot be known what an
            output is.

    Example:
    >>> import keras, numpy as np
    >>> x, y = np.random.default_rng(0).normal(size=(64, 8)), np.arange(64) % 3
    >>> teacher = keras.Sequential([keras.Input((8,)), keras.layers.Dense(32, "relu"),
    ...                             keras.layers.Dense(3, "softmax")])
    >>> student = keras.Sequential([keras.Input((8,)), keras.layers.Dense(3)])
    >>> distiller = OutputDistiller(teacher, student, temperature=4.0, alpha=0.1)
    >>> loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    >>> distiller.compile("adam", loss, metrics=["accuracy"])
    >>> history = distiller.fit(x, y, epochs=2, verbose=0)
    >>> sorted(history.history)
    ['accuracy', 'distillation_loss', 'loss']
    """

    def __init__(
        self,
        teacher: Any,
        student: Any,
        *,
        temperature: float = 4.0,
        alpha: float = 0.5,
        kind: Any = "auto",
        from_logits: Any = "auto",
        **kwargs: Any,
    ):
        for argument, model in (("student", student), ("teacher", teacher)):
            if isinstance(model, keras.layers.Layer) and not isinstance(model, keras.Model):
                raise bad_type(argument, "a Keras model", model)
            selection.check_built(model, argument)
        # Of the student's types, so that `compile` scales the loss where these need it; but what
        # the inputs are cast to is the student's own affair.
        super().__init__(dtype=student.dtype_policy, autocast=False, **kwargs)
        self.temperature = positive("temperature", temperature)
        self.alpha = _share(alpha)
        for word in keras.tree.flatten(kind):
            one_of("kind", word, ["auto", *KINDS])
        self.kind = kind
        self.from_logits = as_pair(from_logits)
        self.student = student
        self._unseen = _Unseen(teacher)
        self._check_models()
        self._endings = (endings(student), endings(teacher))
        self._distillation = keras.metrics.Mean(name="distillation_loss")
        self._loss_weights: Any = None
        self._evaluates = False
        inside = [teacher, *(layer for _, layer in selection.walk(teacher))]
        self.supports_jit = all(layer.supports_jit for layer in inside)
        self.built = True

    @property
    def teacher(self) -> Any:
        """The teacher."""
        # Keras does not see it as a layer, but saves and loads its weights by this name.
        return self._unseen.model

    def _check_models(self) -> None:
        student, teacher = self.student, self.teacher
        trained = {id(variable) for variable in student.trainable_variables}
        shared = [one.path for one in teacher.variables if id(one) in trained]
        if teacher is student or shared:
            raise bad_value(
                "teacher",
                "a model that has no trainable weights in common with the student",
                teacher,
                "It is the student." if teacher is student else f"Both have {', '.join(shared)}.",
            )
        check_inputs(student, teacher)
        outputs = self._symbolic_outputs()
        if outputs is not None:
            check_outputs(student, teacher, *outputs)

    def _symbolic_outputs(self) -> tuple[Any, Any] | None:
        inputs = inputs_of(self.student)
        inputs = inputs_of(self.teacher) if inputs is None else inputs
        both = outputs_of(self.student, inputs), outputs_of(self.teacher, inputs)
        return None if both[0] is None or both[1] is None else both

    # What Keras calls.

    @property
    def output_names(self) -> Any:
        """The names of the student's outputs, by which losses and metrics may be given."""
        return self.student.output_names

    @property
    def metrics(self) -> list[Any]:
        """The metrics: in `evaluate` without that of the distillation."""
        metrics = super().metrics
        return [one for one in metrics if not self._evaluates or one is not self._distillation]

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Configure the training, as `keras.Model.compile`.

        Args:
            optimizer: As in Keras.
            loss: As in Keras; it may be left out where `alpha` is 0.
            loss_weights: As in Keras; they hold for the distillation too.
            metrics: As in Keras.
            **kwargs: All others of Keras.

        Raises:
            ValueError: If there is no loss, or it cannot be known what an output is.
        """
        if loss is None and self.alpha > 0.0:
            raise bad_value(
                "loss", "a loss", loss, "Only with `alpha=0.0` no labels are used, and none needed."
            )
        outputs = self._symbolic_outputs()
        if outputs is not None:
            self._forms(outputs[0], loss)
        super().compile(optimizer, loss, loss_weights, metrics, **kwargs)
        self._loss_weights = loss_weights

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Compile as it was when the distiller was saved."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        """Give what the student gives."""
        return self.student(inputs, training=training)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Give the loss of a batch: in training that of labels and teacher, else that of labels."""
        arguments = {"x": x, "y": y, "y_pred": y_pred, "sample_weight": sample_weight}
        if not training:
            return self._of_labels(arguments, training)
        soft = self._of_teacher(x, y_pred, sample_weight)
        # The loss of the labels has the regularization too, so that any mixture has it once.
        soft = soft + self._regularization() / self._replicas
        hard = self._of_labels(arguments, training)
        if self.alpha in (0.0, 1.0):  # also where the other one is no number
            return hard if self.alpha else soft
        return self.alpha * hard + (1.0 - self.alpha) * soft

    def _of_labels(self, arguments: Any, training: bool) -> Any:
        if self.loss is None:
            return self._regularization() / self._replicas
        return super().compute_loss(**arguments, training=training)

    def _of_teacher(self, x: Any, y_pred: Any, sample_weight: Any) -> Any:
        # A state that changes in inference, too, changes in this scope only.
        with keras.StatelessScope():
            targets = self.teacher(x, training=False)
        check_outputs(self.student, self.teacher, y_pred, targets)
        paths, predictions = zip(*keras.tree.flatten_with_path(y_pred), strict=True)
        names = getattr(self, "output_names", None)
        terms = []
        for form, output, target, weights, share in zip(
            self._forms(y_pred, self.loss),
            predictions,
            keras.tree.flatten(targets),
            by_output(sample_weight, paths, names),
            by_output(self._loss_weights, paths, names),
            strict=True,
        ):
            term = _Term(form, self.temperature, output, target)
            value = term(ops.stop_gradient(target), output, sample_weight=weights)
            terms.append(value if share is None else share * value)
        total = sum(terms)
        samples = ops.shape(predictions[0])[0]
        self._distillation.update_state(total * self._replicas, sample_weight=samples)
        return total

    def _regularization(self) -> Any:
        floatx = keras.config.floatx()
        return sum((ops.cast(ops.sum(loss), floatx) for loss in self.losses), ops.zeros(()))

    @property
    def _replicas(self) -> int:
        """Over how many replicas gradients are summed, through which Keras divides each loss."""
        strategy = getattr(self, "distribute_strategy", None)
        return 1 if strategy is None else int(strategy.num_replicas_in_sync)

    def _forms(self, outputs: Any, loss: Any) -> list[Form]:
        models = self.student, self.teacher
        return forms_of(*models, outputs, loss, self.kind, self.from_logits, self._endings)

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        before, self._evaluates = self._evaluates, True
        try:
            yield
        finally:
            self._evaluates = before

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate the student by its loss and metrics, as `keras.Model.evaluate`."""
        with self._evaluating():
            return super().evaluate(*args, **kwargs)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate the student on one batch, as `keras.Model.test_on_batch`."""
        with self._evaluating():
            return super().test_on_batch(*args, **kwargs)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments as plain data, with the two models' own configurations."""
        config = super().get_config()
        config.pop("dtype", None)
        models = {"student": self.student, "teacher": self.teacher}
        config.update(
            {key: keras.saving.serialize_keras_object(model) for key, model in models.items()}
        )
        return {
            **config,
            "temperature": self.temperature,
            "alpha": self.alpha,
            "kind": keras.tree.map_structure(str, self.kind),
            "from_logits": list(self.from_logits),
        }

    @classmethod
    def from_config(
        cls, config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Make a distiller from what `get_config` gave.

        Args:
            config: The dict.
            custom_objects: Classes and functions of your own, by name. Defaults to `None`.
        """
        models = {
            key: keras.saving.deserialize_keras_object(config[key], custom_objects=custom_objects)
            for key in ("student", "teacher")
        }
        return cls(**{**config, **models})


class _Unseen:
    """Holds a model so that Keras does not take it for a layer of the one that holds it."""

    def __init__(self, model: Any):
        self.model = model


class _Term(keras.losses.Loss):
    """The distillation of one output, with weights, mask and mean as Keras's losses have them."""

    def __init__(self, form: Form, temperature: float, student: Any, teacher: Any):
        super().__init__(name="distillation")
        self.form = form
        self.temperature = temperature
        self.types = [keras.backend.standardize_dtype(one.dtype) for one in (student, teacher)]

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Give the value of each sample, or position."""
        kind, from_logits = self.form.kind, self.form.from_logits
        return divergence(y_pred, y_true, self.temperature, kind, from_logits, self.types)


def _share(alpha: Any) -> float:
    if not 0.0 <= number("alpha", alpha) <= 1.0:
        raise bad_value("alpha", "a float in [0, 1]", alpha, meant_share(alpha))
    return float(alpha)
