"""Which layers, and which of their variables: one selection for every room."""

import fnmatch
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import keras

from kerasopt import _keras
from kerasopt._core.checks import bad_type, bad_value, did_you_mean, one_of
from kerasopt._core.display import Shown, text_of

__all__ = ["Pick", "Selection", "Target", "select"]

Pick = str | re.Pattern[str] | type | Callable[[Any], bool] | Any

_VARIABLES = ("kernels", "biases", "all", "any")
_SCALES_AND_OFFSETS = re.compile(
    r"bias|gamma|beta|^scale$|moving_|^alpha$|_scale$|_scales$|_zero$|_amax_history$|^g_idx$"
)


@dataclass(frozen=True)
class Target:
    """One variable of one layer.

    Attributes:
        layer: The Keras layer that owns the variable itself (the cell inside an LSTM).
        variable: The `keras.Variable`.
        path: Names from the model's own layer down to the variable, as `"block/conv/kernel"`.
    """

    layer: Any
    variable: Any
    path: str

    @property
    def name(self) -> str:
        """The path without the variable: what messages call the layer."""
        return self.path.rsplit("/", 1)[0]


class Selection(Shown, list[Target]):
    """The list of targets that `select` found, with the reasons for what it left out.

    Attributes:
        left_out: Dict of layer path -> reason, for every layer with weights that was not taken.
    """

    def __init__(self, targets: Iterable[Target] = (), left_out: dict[str, str] | None = None):
        super().__init__(targets)
        self.left_out: dict[str, str] = dict(left_out or {})

    def brief(self) -> str:
        """Give the numbers of variables and layers."""
        return f"{len(self)} variables of {len({target.name for target in self})} layers"

    def parts(self) -> list[Any]:
        """Give a table of the variables, and what was left out."""
        rows = [["layer", "variable", "shape"]]
        for target in self:
            shape = " x ".join(map(str, target.variable.shape))
            rows.append([target.name, target.path.rsplit("/", 1)[-1], shape])
        return [rows, *([f"left out: {reasons(self.left_out)}"] if self.left_out else [])]

    def __str__(self) -> str:
        return text_of(self.parts())


def reasons(left_out: Mapping[str, str]) -> str:
    """Give in one line what was left out and why, layers of the same reason together.

    Example:
    >>> reasons({"norm": "no kernels", "top": "frozen", "act": "no kernels"})
    'norm, act (no kernels); top (frozen)'
    """
    paths: dict[str, list[str]] = {}
    for path, why in left_out.items():
        paths.setdefault(why, []).append(path)
    return "; ".join(f"{', '.join(found)} ({why})" for why, found in paths.items())


def walk(model: Any) -> Iterator[tuple[str, Any]]:
    """Give every layer inside `model`, at any depth, once, as (path, layer) in order.

    A layer that is used in several places appears where it is met first.
    """
    seen = {id(model)}
    taken: set[str] = set()

    def visit(parent: Any, prefix: str) -> Iterator[tuple[str, Any]]:
        for layer in _keras.sublayers(parent):
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            path = unique = f"{prefix}{layer.name}"
            number = 1
            while unique in taken:
                number += 1
                unique = f"{path}#{number}"
            taken.add(unique)
            yield unique, layer
            yield from visit(layer, f"{unique}/")

    yield from visit(model, "")


def own_variables(layer: Any) -> list[Any]:
    """Give the variables that `layer` holds itself, without those of the layers inside it."""
    inside = {id(v) for sub in _keras.sublayers(layer) for v in sub.variables}
    return [v for v in layer.variables if id(v) not in inside]


def is_kernel(layer: Any, variable: Any) -> bool:
    """Tell whether a variable is a kernel: a float one of two axes or more, no bias, no scale.

    A constant (not trainable in a layer that trains) is none; the kernel of a frozen layer is one.
    A layer with LoRA or integer weights has none: what it computes with is no variable of its own.
    """
    if why_altered(layer):
        return False
    if "normalization" in type(layer).__name__.lower():
        return False
    if "float" not in str(variable.dtype) or (layer.trainable and not variable.trainable):
        return False  # a table, or a constant of a layer that trains
    return len(variable.shape) >= 2 and not _SCALES_AND_OFFSETS.search(variable.name)


def why_altered(layer: Any) -> str:
    """Say why a layer's kernel is not what it computes with: LoRA, quantization; `""` if it is.

    With LoRA (`enable_lora`) the layer computes with the sum of a frozen kernel and the product of
    two factors, and zeros in any of these are none in the sum. `float8` keeps float kernels.
    """
    mode = getattr(layer, "quantization_mode", None)
    if mode is not None and mode != "float8":
        return f"quantized to {mode}"
    if getattr(layer, "lora_enabled", False):
        return "has LoRA: its kernel is frozen, and its factors are no kernels"
    return ""


def advice(left_out: Mapping[str, str]) -> str:
    """Give what can be done about layers with LoRA or integer weights among those left out.

    Example:
    >>> advice({"dense": "quantized to int8"})
    'Do this before `quantize`.'
    """
    whys = set(left_out.values())
    parts = []
    if any(why.startswith("has LoRA") for why in whys):
        parts.append(
            "Merge LoRA first: `save_weights` stores the merged kernels, which `load_weights` puts "
            "into the same model built without `enable_lora`."
        )
    if any(why.startswith("quantized") for why in whys):
        parts.append("Do this before `quantize`.")
    return " ".join(parts)


def has_kernel(layer: Any) -> bool:
    """Tell whether a layer (or operation), or one inside it, has a kernel."""
    if not isinstance(layer, keras.layers.Layer):
        return False
    return any(
        is_kernel(one, variable) or (bool(why_altered(one)) and len(variable.shape) >= 2)
        for one in (layer, *(sub for _, sub in walk(layer)))
        for variable in own_variables(one)
    )


def check_built(model: Any, argument: str = "model") -> None:
    """Make sure that `model` is a Keras 3 model or layer whose weights exist.

    Raises:
        TypeError: If it is not a Keras 3 layer or model.
        ValueError: If it has not been built.
    """
    if not isinstance(model, keras.layers.Layer):
        legacy = type(model).__module__.startswith(("tf_keras", "tensorflow.python.keras"))
        raise bad_type(
            argument,
            "a Keras 3 model",
            model,
            "This is a Keras 2 model: save its weights and load them into the same model built "
            "with `keras`."
            if legacy
            else "",
        )
    # A model without `call` (a GAN with its own `train_step`) is never built, its parts are.
    parts = [layer.built for _, layer in walk(model)]
    if not (model.built or (parts and all(parts))) or not (all(parts) or model.weights):
        raise bad_value(
            argument,
            "a built model",
            model,
            "Its weights do not exist yet: give it a `keras.Input`, call `model.build(shape)`, or "
            "call it once on a batch of data.",
        )


def _matches(argument: str, pick: Pick, path: str, layer: Any) -> bool:
    if isinstance(pick, str):
        return fnmatch.fnmatchcase(layer.name, pick) or fnmatch.fnmatchcase(path, pick)
    if isinstance(pick, re.Pattern):
        return bool(pick.search(path))
    if isinstance(pick, type):
        return isinstance(layer, pick)
    if isinstance(pick, keras.layers.Layer):
        return pick is layer
    try:
        return bool(pick(layer))
    except Exception as error:
        raise bad_value(
            argument,
            "a function that takes any layer and gives True or False",
            pick,
            f"For layer {path!r} it raised {type(error).__name__}: {error}.",
        ) from error


def check_picks(argument: str, value: Any) -> list[Pick]:
    """Check the form of what names layers, as `matching` takes it, before there is a model.

    Raises:
        TypeError: If it is of no known form.
    """
    if value is None:
        return []
    several = isinstance(value, (list, tuple, set, frozenset))
    picks = list(value) if several else [value]
    for pick in picks:
        layer_class = isinstance(pick, type) and issubclass(pick, keras.layers.Layer)
        known = isinstance(pick, (str, re.Pattern, keras.layers.Layer)) or layer_class
        if not known and (isinstance(pick, type) or not callable(pick)):
            raise bad_type(
                argument,
                "layer names (shell wildcards allowed), compiled regular expressions, layer "
                "classes, layers, functions of a layer, or a list of these",
                pick,
            )
    return picks


def matching(model: Any, argument: str, value: Any) -> set[int]:
    """Give the ids of the layers that `value` names, with every layer inside them.

    Args:
        model: A built Keras model.
        argument: Name of the user's argument, for the error.
        value: A layer name (shell wildcards allowed; a name or the whole path), a compiled regular
            expression searched for in the path, a layer class, a layer, a function
            `layer -> bool`, or a list of these.

    Raises:
        TypeError: If `value` is something else.
        ValueError: If one of the picks matches no layer.
    """
    layers = list(walk(model))
    found: set[int] = set()
    for pick in check_picks(argument, value):
        hits = [(path, layer) for path, layer in layers if _matches(argument, pick, path, layer)]
        if not hits:
            names = [path for path, _ in layers]
            hint = did_you_mean(pick, names)
            if isinstance(pick, str) and pick.rsplit("/", 1)[0] in names:
                hint = f"That is a variable: name its layer, {pick.rsplit('/', 1)[0]!r}."
            raise bad_value(
                argument,
                "something that matches a layer of the model",
                pick,
                f"{hint} Its layers are: {', '.join(names)}.".strip(),
            )
        for _, layer in hits:
            found.add(id(layer))
            found.update(id(sub) for _, sub in walk(layer))
    return found


def select(
    model: Any,
    include: Any = None,
    exclude: Any = None,
    variables: str = "kernels",
) -> Selection:
    """Choose variables of a model by the layers that hold them.

    Nested models, wrappers (Bidirectional, TimeDistributed), attention and composite layers are
    walked to any depth. A variable that several layers share is given once.

    Args:
        model: A built Keras model or layer, of any style.
        include: Which layers: names or paths (shell wildcards allowed, `"conv*"`), compiled regular
            expressions, layer classes, layers, functions `layer -> bool`, or a list of these. A
            layer brings the layers inside it. Defaults to `None`: all.
        exclude: Which layers not, in the same forms; it wins over `include`. Defaults to `None`.
        variables: `"kernels"` (every variable with two axes or more that is no bias and belongs to
            no normalization: Dense and convolution kernels, recurrent kernels, embeddings),
            `"biases"`, `"all"` trainable ones, or `"any"`: frozen ones and moving averages too.
            Defaults to `"kernels"`.

    Returns:
        A list of `Target(layer, variable, path)` in the model's order, whose `left_out` says by
        layer path why a layer with weights was not taken.

    Raises:
        TypeError: If `model` is no Keras 3 model, or a pick is of no known form.
        ValueError: If the model is not built, a pick matches nothing, or nothing is left.

    Example:
    >>> import keras
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="hidden"),
    ...                           keras.layers.Dense(2, name="top")])
    >>> [target.path for target in select(model, exclude="top")]
    ['hidden/kernel']
    """
    check_built(model)
    one_of("variables", variables, _VARIABLES)
    wanted = matching(model, "include", include) if include is not None else None
    unwanted = matching(model, "exclude", exclude)
    selection = Selection()
    seen: set[int] = set()
    whole = [("", model)] if not isinstance(model, keras.Model) or own_variables(model) else []
    for path, layer in [*whole, *walk(model)]:
        mine = [v for v in own_variables(layer) if id(v) not in seen and v.name]
        weights = [v for v in mine if "seed" not in v.name]
        if not weights:
            continue
        seen.update(id(v) for v in mine)
        reason = ""
        if id(layer) in unwanted:
            reason = "excluded"
        elif wanted is not None and id(layer) not in wanted:
            reason = "not included"
        chosen = [v for v in weights if _is_wanted(layer, v, variables)]
        if not reason and not chosen:
            reason = (variables == "kernels" and why_altered(layer)) or f"no {variables}"
            if variables == "all":
                reason = "nothing trainable" if layer.trainable else "frozen"
        if reason:
            selection.left_out[path] = reason
            continue
        for variable in chosen:
            full = f"{path}/{variable.name}" if path else f"{layer.name}/{variable.name}"
            selection.append(Target(layer, variable, full))
    if not selection:
        reasons = "; ".join(f"{path}: {why}" for path, why in selection.left_out.items())
        what_to_do = advice(selection.left_out)
        raise bad_value(
            "include" if include is not None else "exclude" if exclude is not None else "model",
            "a selection that leaves at least one layer with "
            f"{'variables' if variables == 'any' else variables}",
            include if include is not None else exclude if exclude is not None else model,
            f"Left out: {reasons or 'the model has no weights'}. {what_to_do}".strip(),
        )
    return selection


def _is_wanted(layer: Any, variable: Any, variables: str) -> bool:
    if variables == "kernels":
        return is_kernel(layer, variable)
    if variables == "biases":
        return bool("bias" in variable.name)
    return variables == "any" or bool(variable.trainable)
