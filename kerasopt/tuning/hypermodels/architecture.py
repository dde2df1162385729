"""What the search spaces share: one input, a body, a head, compiled; sent to other processes."""

import inspect
from collections.abc import Mapping
from typing import Any, Self

import keras
import keras_tuner

from kerasopt._core.checks import at_least, bad_value
from kerasopt.tuning.hypermodels.feature_statistics import normalization
from kerasopt.tuning.hypermodels.hyperparameters import count, learning_rate, width
from kerasopt.tuning.hypermodels.task import Task

MOMENTUM = 0.9
"""Of batch normalization: Keras's 0.99 lags for epochs where an epoch has few steps."""


class Architecture(keras_tuner.HyperModel):
    """Base of the search spaces: a subclass says which hyperparameters and which layers.

    Args:
        input_shape: Shape of one sample.
        outputs: Integer >= 1: classes, labels or numbers.
        task: `"classification"`, `"multi_label"` or `"regression"`.
        one_hot: Whether the targets of a classification are one-hot.
        denormalize: Targets for training, (n,) or (n, outputs), or `None`. Of a regression.

    Attributes:
        reasons: Strings: why `suggest_hypermodel` took this one. Else empty.
        alternative: Another hypermodel for the same data, or `None`.
    """

    def __init__(
        self, input_shape: tuple[int | None, ...], outputs: int, task: str, one_hot: bool,
        denormalize: Any,
    ):  # fmt: skip
        super().__init__()
        self.input_shape = input_shape
        self._task = Task(task, outputs, one_hot)
        self.outputs = int(outputs)
        self.task = task
        self.one_hot = one_hot
        if denormalize is not None and task != "regression":
            raise bad_value("denormalize", f'None, as `task` is "{task}"', denormalize)
        self.denormalize = normalization("denormalize", denormalize, self.outputs)
        self.reasons: tuple[str, ...] = ()
        self.alternative: Architecture | None = None

    @property
    def objective(self) -> Any:
        """What to search by, as KerasTuner takes it."""
        return keras_tuner.Objective(*self._task.objective)

    @property
    def why(self) -> str:
        """The reasons of `suggest_hypermodel`, one a line; empty without one."""
        return "\n".join(f"- {reason}" for reason in self.reasons)

    def build(self, hp: Any) -> Any:
        """Give a new compiled model.

        Args:
            hp: `keras_tuner.HyperParameters`. What it lacks is declared in it.

        Returns:
            A Functional model with layers of Keras only.
        """
        values = self.hyperparameters(hp)
        inputs = keras.Input(self.input_shape, name="inputs")
        x = self._body(self._prepared(inputs), values)
        # float32 under any policy, as Keras advises: a softmax in float16 is coarse.
        x = keras.layers.Dense(
            self.outputs, activation=self._task.activation, dtype="float32", name="outputs"
        )(x)
        if self.denormalize is not None:
            layer = keras.layers.Normalization(
                **self.denormalize, invert=True, dtype="float32", name="denormalization"
            )
            x = layer(x)
        model = keras.Model(inputs, x, name=type(self).__name__.removeprefix("Hyper").lower())
        model.compile(
            optimizer=keras.optimizers.Adam(
                values["learning_rate"], clipnorm=self._clipnorm, name="adam"
            ),
            loss=self._task.loss,
            metrics=[self._task.metric()],
        )
        return model

    _clipnorm: float | None = None

    def hyperparameters(self, hp: Any) -> dict[str, Any]:
        """Declare all hyperparameters, and give their values; `None` for what is not active."""
        return {**self._declared(hp), "learning_rate": learning_rate(hp)}

    def _declared(self, hp: Any) -> dict[str, Any]:
        raise NotImplementedError

    def _prepared(self, inputs: Any) -> Any:
        return inputs

    def _body(self, x: Any, values: Mapping[str, Any]) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal one, as plain data; reasons are none of them."""
        return {
            "input_shape": list(self.input_shape),
            "outputs": self.outputs,
            "task": self.task,
            "one_hot": self.one_hot,
            "denormalize": self.denormalize,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Make one from what `get_config` gave."""
        return cls(**config)

    def __getstate__(self) -> dict[str, Any]:
        # KerasTuner keeps bound methods in the instance: in a shallow copy, those of the original.
        return {k: v for k, v in self.__dict__.items() if k not in ("build", "_build")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__init__(name=state["name"], tunable=state["tunable"])
        self.__dict__.update(state)

    def __repr__(self) -> str:
        parameters = inspect.signature(type(self)).parameters
        config = {**self.get_config(), "input_shape": tuple(self.input_shape)}
        shown = [
            f"{name}=..." if isinstance(value, dict) else f"{name}={value!r}"
            for name, value in config.items()
            if name not in parameters or value != parameters[name].default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __str__(self) -> str:
        return "\n".join(filter(None, [repr(self), self.why]))


class Layered(Architecture):
    """Base of the search spaces of so many layers with so many units each.

    Args:
        input_shape: Shape of one sample, checked.
        outputs: As in `Architecture`, like `task`, `one_hot` and `denormalize`.
        task: See there.
        one_hot: See there.
        denormalize: See there.
        normalize: The x for training, a dict with `mean` and `variance`, or `None`.
        max_layers: Integer >= 1.
        max_units: Integer >= 16.
    """

    def __init__(
        self, input_shape: tuple[int | None, ...], outputs: int, task: str, one_hot: bool,
        denormalize: Any, normalize: Any, max_layers: int, max_units: int,
    ):  # fmt: skip
        super().__init__(input_shape, outputs, task, one_hot, denormalize)
        self.normalize = normalization("normalize", normalize, input_shape[-1])
        self.max_layers = at_least("max_layers", max_layers, 1)
        self.max_units = at_least("max_units", max_units, 16)

    def _widths(self, hp: Any, layers: int) -> dict[str, Any]:
        """Declare how many layers there are, `layers` by default, and the units of each."""
        values: dict[str, Any] = {"layers": count(hp, "layers", self.max_layers, layers)}
        values["units_1"] = width(hp, "units_1", self.max_units, 64)
        for number in range(2, self.max_layers + 1):
            with hp.conditional_scope("layers", list(range(number, self.max_layers + 1))):
                values[f"units_{number}"] = width(hp, f"units_{number}", self.max_units, 64)
        return values

    def get_config(self) -> dict[str, Any]:
        """Give the arguments that make an equal one, as plain data."""
        return {
            **super().get_config(),
            "normalize": self.normalize,
            "max_layers": self.max_layers,
            "max_units": self.max_units,
        }
