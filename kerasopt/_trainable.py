"""Which variables a callback works on: those that training still changes."""

from typing import Any

from kerasopt._checks import bad_value, warn
from kerasopt.selection import Selection, advice, reasons, select


def select_trainable(model: Any, include: Any, exclude: Any, variables: str, who: str) -> Selection:
    """Select variables as `kerasopt.selection.select` does, and leave out those of frozen layers.

    A frozen kernel could not recover from losing its small weights, and a penalty does nothing on
    it.

    Args:
        model: A built Keras model.
        include: Which layers.
        exclude: Which layers not.
        variables: `"kernels"`, `"biases"` or `"all"`.
        who: The public name of what selects, for the warning.

    Raises:
        ValueError: If nothing is left.

    Warns:
        UserWarning: Naming the frozen layers, and those with LoRA or integer weights.
    """
    chosen = select(model, include, exclude, variables)
    trained = {id(variable) for variable in model.trainable_variables}
    kept = Selection([one for one in chosen if id(one.variable) in trained], chosen.left_out)
    frozen = [one.name for one in chosen if id(one.variable) not in trained]
    frozen += [path for path, why in chosen.left_out.items() if why == "frozen"]
    frozen = list(dict.fromkeys(frozen))
    kept.left_out.update(dict.fromkeys(frozen, "frozen"))
    if not kept:
        raise bad_value(
            "model",
            "a model with variables that train",
            model,
            f"All that are selected are frozen: {frozen}.",
        )
    altered = {path: why for path, why in chosen.left_out.items() if advice({path: why})}
    if altered:
        warn(f"{who} leaves out {reasons(altered)}. {advice(altered)}")
    if frozen:
        warn(
            f"{who} leaves out frozen layers: {', '.join(map(repr, frozen))}. Set "
            "`layer.trainable = True` and compile again to have them."
        )
    return kept
