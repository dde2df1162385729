"""Carrying what a layer has learned, and what was set on it, over to its copy."""

import tempfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from kerasopt._core import fit_state
from kerasopt._core.checks import warn
from kerasopt.graph.copies import fresh
from kerasopt.selection import walk


def carry_over(
    old: Any, new: Any, settings: bool = True, part: Callable[[Any], Any] | None = None
) -> None:
    """Give `new` the state of `old`: weights, moving averages, seed states, vocabularies, flags.

    Args:
        old: A built layer.
        new: A layer of the same structure, built too.
        settings: Whether regularizers and constraints are those of `old`, none included; else they
            are so only where `new` has none. Defaults to `True`.
        part: Function that gives, for a variable of `old`, the values that its copy gets, where
            that is smaller. Defaults to `None`: all.

    Raises:
        ValueError: If `new` has not the same weights in the same order.
    """
    for one, other in _side_by_side(old, new):
        if one is not other:
            _give_form(one, other)
    values = [v if part is None else part(v) for v in old.weights]
    shapes = [tuple(value.shape) for value in values]
    if shapes != [tuple(v.shape) for v in new.weights]:
        raise ValueError(
            f"The weights of layer {old.name!r} do not fit the layer that takes its place. It has "
            f"{_sketch(old)}, the new one {_sketch(new)}. For other shapes pass `transfer`, a "
            "function `transfer(old, new)` that sets the new layer's weights."
        )
    if part is None:
        for one, other in _side_by_side(old, new):
            if one is other:
                continue  # a model that both have
            _carry_what_loading_would(one, other)
    # Last, because loading puts the two halves of LoRA into the kernel.
    for mine, its, value in zip(old.weights, new.weights, values, strict=True):
        if mine is its:
            continue
        carry_variable(mine, its, settings, None if part is None else value)
    seeds, its_seeds = _other_state(old), _other_state(new)
    if [tuple(v.shape) for v in seeds] == [tuple(v.shape) for v in its_seeds]:
        for mine, its in zip(seeds, its_seeds, strict=True):
            assign(its, mine)


def _give_form(old: Any, new: Any) -> None:
    """Quantize `new`, or give it LoRA, where `old` is or has it and no config says so.

    That is so inside attention layers, whose config does not hold those of the layers in them.
    """
    mode = getattr(old, "quantization_mode", None)
    if mode is not None and getattr(new, "quantization_mode", None) is None:
        new.quantize(mode, config=getattr(old, "quantization_config", None))
    if getattr(old, "lora_enabled", False) and not getattr(new, "lora_enabled", False):
        new.enable_lora(old.lora_rank)


def carry_flags(old: Any, new: Any) -> None:
    """Make `new` and all layers inside it trainable or frozen as in `old`, outermost first."""
    for one, other in _side_by_side(old, new):
        if one.trainable != other.trainable:
            other.trainable = one.trainable
    for mine, its in zip(old.weights, new.weights, strict=False):
        if mine.trainable != its.trainable:
            its.trainable = mine.trainable


def carry_into(old: Any, new: Any) -> None:
    """Give `new` the state of `old`, but leave it the regularizers and constraints it has."""
    carry_over(old, new, settings=False)


def carry_variable(old: Any, new: Any, settings: bool = True, value: Any = None) -> None:
    """Give one variable another's value, and a copy of the regularizer and constraint set on it.

    Where the new one is smaller, `value` is the part of the other's that it gets.

    They may be others than the layer's config says, and none at all. What a callback holds on the
    old variable during `fit` stays behind, and so does a constraint that has no config. A
    regularizer without one is stateless and comes along as it is.
    """
    assign(new, old if value is None else value)
    for what in ("regularizer", "constraint"):
        thing = fit_state.own(old, what)
        if not settings and (thing is None or getattr(new, what, None) is not None):
            continue
        if _config(thing) is None or _config(thing) != _config(getattr(new, what, None)):
            setattr(new, what, _copied(thing, what, old.path))


def assign(variable: Any, value: Any) -> None:
    """Give a variable a value in memory of its own.

    On JAX a variable holds the very array that it is assigned, and the train and predict functions
    of one model would give away the memory of another.
    """
    if keras.config.backend() != "tensorflow":
        value = np.array(keras.ops.convert_to_numpy(value), copy=True)
    variable.assign(value)


def _copied(thing: Any, what: str, path: str) -> Any:
    try:
        return None if thing is None else fresh(thing)
    except ValueError:
        if what == "regularizer":
            return thing
        warn(
            f"The copy of {path!r} has no {type(thing).__name__}: this constraint cannot be made "
            "again from its config. Set it again."
        )
        return None


def _config(thing: Any) -> Any:
    try:
        return None if thing is None else keras.saving.serialize_keras_object(thing)
    except (NotImplementedError, TypeError, ValueError):
        return None


def _carry_what_loading_would(old: Any, new: Any) -> None:
    # Layers with state outside their variables (Normalization's constants, a StringLookup's words)
    # say by these public methods how a file brings it back.
    if type(new).load_own_variables is not keras.layers.Layer.load_own_variables:
        store: dict[str, Any] = {}
        old.save_own_variables(store)
        if store:
            new.load_own_variables(store)
    if hasattr(old, "save_assets") and hasattr(new, "load_assets"):
        with tempfile.TemporaryDirectory() as folder:
            old.save_assets(folder)
            new.load_assets(folder)


def _other_state(layer: Any) -> list[Any]:
    weights = {id(v) for v in layer.weights}
    return [v for v in layer.variables if id(v) not in weights and "seed" in v.name]


def _side_by_side(old: Any, new: Any) -> list[tuple[Any, Any]]:
    mine = [old, *(layer for _, layer in walk(old))]
    its = [new, *(layer for _, layer in walk(new))]
    return list(zip(mine, its, strict=False))


def _sketch(layer: Any) -> str:
    return ", ".join(f"{v.name}{tuple(v.shape)}" for v in layer.weights) or "none"
