"""Where a layer's config keeps the regularizer or constraint of a variable, and if it lasts."""

import json
from typing import Any

import keras

from kerasopt import _keras, selection
from kerasopt._core import fit_state
from kerasopt.graph.copies import fresh

# A regularizer, but of what a layer gives, not of a variable.
_OTHERS = ("activity",)


def attribute_of(layer: Any, variable: Any, what: str) -> str | None:
    """Find the attribute with which `layer` was told what belongs to one of its variables.

    The names are read from the layer's config: `kernel_regularizer` for `kernel`,
    `recurrent_regularizer` for `recurrent_kernel`, and `depthwise_regularizer` for the `kernel` of
    a DepthwiseConv2D, the only kernel and the only name left there.

    Args:
        layer: The layer that owns the variable.
        variable: The variable.
        what: `"regularizer"` or `"constraint"`.

    Returns:
        The attribute's name, or `None` where the layer's config has no place for it.

    Example:
    >>> layer = keras.layers.DepthwiseConv2D(3)
    >>> layer.build((None, 8, 8, 3))
    >>> attribute_of(layer, layer.kernel, "regularizer")
    'depthwise_regularizer'
    """
    end = f"_{what}"
    stems = [
        key.removesuffix(end)
        for key in _config(layer)
        if key.endswith(end) and hasattr(layer, key) and key.removesuffix(end) not in _OTHERS
    ]
    names = [v.name for v in selection.own_variables(layer)]
    direct = {name: stem for name in names for stem in stems if _fits(name, stem)}
    if variable.name in direct:
        return direct[variable.name] + end
    stems_left = [stem for stem in stems if stem not in direct.values()]
    kernels_left = [
        v.name
        for v in selection.own_variables(layer)
        if selection.is_kernel(layer, v) and v.name not in direct
    ]
    # "bias" stays over in a layer without bias; it never means a kernel.
    stems_left = [stem for stem in stems_left if "bias" not in stem]
    if kernels_left == [variable.name] and len(stems_left) == 1:
        return stems_left[0] + end
    return None


def _fits(name: str, stem: str) -> bool:
    return name == stem or name == f"{stem}_kernel"


def saved_units(model: Any) -> dict[int, Any]:
    """Give, for each layer in a model, the layer or model whose config decides what is saved of it.

    The configs of Functional and Sequential models are those of their layers. Any other model or
    layer makes the layers inside it anew, from its own config.

    Args:
        model: A built Keras model.

    Returns:
        Dict of layer id -> the outermost layer around it that is not a plain graph of layers.
    """
    units: dict[int, Any] = {}

    def visit(thing: Any, unit: Any) -> None:
        if unit is None and not _keras.saves_its_layers(thing):
            unit = thing
        if id(thing) in units:
            return
        units[id(thing)] = unit
        for layer in _keras.sublayers(thing):
            visit(layer, unit)

    visit(model, None)
    return units


def fingerprint(unit: Any) -> str:
    """Give the config of a layer or model as one string, to see whether it has changed."""
    return json.dumps(_config(unit), default=repr)


def can_be_saved(thing: Any) -> bool:
    """Tell whether a regularizer or constraint has a config at all."""
    try:
        _serialized(thing)
    except (NotImplementedError, TypeError, ValueError):
        return False
    return True


def alike(one: Any, other: Any) -> bool:
    """Tell whether two regularizers or constraints, or none, are made from the same config."""
    if one is None or other is None:
        return one is other
    if not (can_be_saved(one) and can_be_saved(other)):
        return one is other
    return bool(_serialized(one) == _serialized(other))


def returns(unit: Any, variables: list[Any], what: str) -> list[bool]:
    """Make a layer again from its config and tell which variables have the same of `what` again.

    Args:
        unit: A built layer. A model is not tried, as that may take long: none returns.
        variables: Some of its variables.
        what: `"regularizer"` or `"constraint"`.
    """
    nothing = [False] * len(variables)
    if isinstance(unit, keras.Model):
        return nothing
    try:
        copy = fresh(unit)
        copy.build_from_config(unit.get_build_config())
    except Exception:
        return nothing
    again = dict(zip(map(id, unit.weights), copy.weights, strict=False))
    return [
        id(v) in again and alike(fit_state.own(v, what), getattr(again[id(v)], what, None))
        for v in variables
    ]


def _serialized(thing: Any) -> Any:
    return keras.saving.serialize_keras_object(thing)


def _config(thing: Any) -> dict[str, Any]:
    try:
        return dict(thing.get_config())
    except (NotImplementedError, TypeError, ValueError):
        return {}
