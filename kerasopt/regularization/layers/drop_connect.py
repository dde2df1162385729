"""DropConnect: dropout of weights in place of numbers that pass through."""

import inspect
from typing import Any

import keras
from keras import ops

from kerasopt import _keras
from kerasopt._core.checks import bad_type, bad_value, fraction
from kerasopt.regularization.layers.random_layer import checked_seed
from kerasopt.selection import is_kernel, own_variables

_TAKES = (
    "a layer of one input with a kernel and no layers in it (Dense, EinsumDense, a convolution: "
    "plain, transposed, depthwise or separable)"
)


@keras.saving.register_keras_serializable(package="kerasopt")
class DropConnect(keras.layers.Wrapper):
    r"""Drop weights of a layer at random in training.

    In training the layer computes with m * W / (1 - rate) in place of its kernel W, where each
    number of the mask m is 0 with probability `rate` and else 1, drawn anew in each call; the
    gradient of W is masked and divided likewise. In inference the layer computes with W
    (Wan et al., 2013, "Regularization of Neural Networks using DropConnect").

    The paper draws one mask a sample, at the price of one kernel a sample; here it is one a call,
    that is one a batch. The paper leaves the weights that stay as they are, and in inference
    samples the numbers before the activation from a Gaussian of their mean and variance; here the
    mean is right by the division, and inference is the layer itself. Biases are never dropped.

    Regularizers see the whole W; so do constraints, and the layer's weights are those of the
    wrapper, in the same order.

    Args:
        layer: A layer with a kernel: Dense, EinsumDense, Conv1D to Conv3D, the transposed,
            depthwise and separable ones, Embedding, or one of your own that has a float weight of
            two axes or more. It may be built already.
        rate: Float in [0, 1): the probability that a weight is dropped.
        seed: Integer >= 0, or `None` for a random one. Defaults to `None`.
        **kwargs: Those of `keras.layers.Layer`: `name`, `trainable`, and `dtype`, by default the
            one of `layer`.

    Raises:
        TypeError: If `layer` is no Keras layer, or an argument is of the wrong type.
        ValueError: If `rate` is outside [0, 1), or `layer` has no kernel, several inputs, or layers
            in it, as LSTM and MultiHeadAttention have.

    Example:
    >>> import keras, numpy as np
    >>> dense = keras.layers.Dense(6, kernel_initializer="ones")
    >>> layer = DropConnect(dense, rate=0.5, seed=1)
    >>> one = np.ones((1, 1), "float32")
    >>> np.unique(layer(one, training=True)).tolist(), np.unique(layer(one)).tolist()
    ([0.0, 2.0], [1.0])
    """

    def __init__(self, layer: Any, rate: float, seed: int | None = None, **kwargs: Any):
        if not isinstance(layer, keras.layers.Layer):
            raise bad_type("layer", _TAKES, layer)
        kwargs.setdefault("dtype", layer.dtype_policy)
        super().__init__(layer, **kwargs)
        self.rate = fraction("rate", rate)
        self.seed = checked_seed(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.supports_masking = layer.supports_masking
        self._check_layer()

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside.

        Raises:
            ValueError: If it has no kernel, or there are layers in it.
        """
        super().build(input_shape)
        self._check_layer()

    def _check_layer(self) -> None:
        inside = [layer.name for layer in _keras.sublayers(self.layer)]
        if inside:
            raise bad_value("layer", _TAKES, self.layer, f"In it are: {', '.join(inside)}.")
        inputs = _inputs(self.layer)
        if len(inputs) > 1:
            raise bad_value("layer", _TAKES, self.layer, f"Its inputs are: {', '.join(inputs)}.")
        if self.layer.built and not self._kernels():
            names = ", ".join(v.name for v in self.layer.weights) or "none"
            raise bad_value("layer", _TAKES, self.layer, f"Its weights are: {names}.")

    def _kernels(self) -> list[Any]:
        return [v for v in own_variables(self.layer) if is_kernel(self.layer, v)]

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Give what the layer gives, in training with some of its weights dropped."""
        if not training or self.rate == 0.0:
            return self.layer(inputs)
        dropped = {id(v): self._drop(v) for v in self._kernels()}
        # All variables, as a scope of this kind hides those of one around it.
        values = [(v, dropped.get(id(v), v.value)) for v in self.layer.variables]
        with keras.StatelessScope(values, collect_losses=True) as scope:
            states = [(v, scope.get_current_value(v)) for v in self.layer.non_trainable_variables]
            outputs = self.layer(inputs)
        # What the layer would have done without a scope: changed its state, noted its losses.
        for variable, before in states:
            after = scope.get_current_value(variable)
            if after is not before:
                variable.assign(after)
        for loss in scope.losses:
            self.layer.add_loss(loss)
        return outputs

    def _drop(self, kernel: Any) -> Any:
        drawn = keras.random.uniform(kernel.shape, dtype="float32", seed=self.seed_generator)
        value = ops.cast(kernel.value, kernel.dtype)
        return ops.where(drawn >= self.rate, value / (1.0 - self.rate), 0.0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Give the mask of the output: the one the layer gives."""
        return self.layer.compute_mask(inputs, mask)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Give the shape of the output: the one the layer gives."""
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict[str, Any]:
        """Give the arguments as plain data."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


def _inputs(layer: Any) -> list[str]:
    parameters = inspect.signature(layer.call).parameters.values()
    several = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [p.name for p in parameters if p.default is p.empty and p.kind not in several]
