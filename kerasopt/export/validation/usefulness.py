"""Is a file of use? What its outputs keep of the Keras model's, judged and put into words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kerasopt.export.validation.agreement import Agreement
from kerasopt.export.validation.fidelity import Entry, Fidelity, Limits, fidelity

USELESS, DOUBTFUL, SOUND = "useless", "doubtful", "sound"

LEAST = 0.5
"""Share of its variance below which an entry is of no use."""

ENOUGH = 0.9
"""Share of its variance above which an entry is sound."""

POSITIONS = 20
"""With fewer values of each entry no file is refused for what it keeps."""

# Cohen's kappa of classes: 0 is what chance gives.
_LEAST_ALIKE, _ENOUGH_ALIKE = 0.3, 0.75
# Logits that are off by the same everywhere still say the class.
_SPARED = 0.5
# Up to this many entries, each stands for something of its own. Of more, as in an embedding, some
# that hardly vary may be lost.
_FEW = 16
_MANY_LOST, _SOME_LOST = 0.25, 0.05
_DISTINCT, _TIMES = 8, 4
_SATURATED = 0.02
_RARE = 0.02
_COARSE = 0.5
# Of what the model does better than a constant.
_SKILL, _LEAST_SKILL, _ENOUGH_SKILL = 0.05, 0.5, 0.95
_BY_CHANCE = 4


@dataclass(frozen=True)
class Verdict:
    """What is to be said of one output.

    Attributes:
        level: `USELESS`, `DOUBTFUL` or `SOUND`.
        why: What is wrong with it, a sentence without its full stop.
        output: Its name.
    """

    level: str
    why: str = ""
    output: str = ""


def verdict(
    output: str,
    agreement: Agreement,
    least: float | None = None,
    names: Sequence[str] = (),
) -> Verdict:
    """Judge an output by what it keeps of the Keras model's.

    Args:
        output: Its name.
        agreement: How it compares.
        least: Share of its variance below which an entry is of no use. Defaults to `None`: 0.5.
        names: What its entries are called. Defaults to none: they are numbered.

    Returns:
        A `Verdict`.
    """
    found = agreement.fidelity
    if found is None or found.variance is None:
        return Verdict(SOUND, output=output)
    usual, least = least is None, LEAST if least is None else least
    enough = max(ENOUGH, least)
    lost, doubted = found.below(least), found.below(enough)
    parts = []
    level = SOUND
    if found.worst is not None and (lost or doubted or _steps(found)):
        level = _by_entries(found, lost, doubted)
        parts += [entry_words(output, found.worst, names)] if level != SOUND else []
        if lost > 1:
            parts.append(f"{lost} of {len(found.shares)} entries keep less than {least:.0%}")
    by_all = _level(found.variance, least, enough)
    if found.kind == "distribution" and by_all != SOUND:
        by_all = DOUBTFUL
    if _RANK[by_all] > _RANK[level]:
        level = by_all
        parts.append(f"output {output!r} keeps {_share(found.variance)} of its variance")
    if found.agreement is not None and agreement.argmax is not None:
        others = (1.0 - agreement.argmax) * found.positions
        alike = SOUND
        if others >= _BY_CHANCE:
            alike = _level(found.agreement, min(_LEAST_ALIKE, least), _ENOUGH_ALIKE)
        if alike != SOUND:
            parts.append(
                f"the largest entry of output {output!r} is the same for {agreement.argmax:.0%}"
            )
        if usual and level == USELESS and found.agreement >= _SPARED:
            level = DOUBTFUL
        level = max(level, alike, key=_RANK.__getitem__)
    if level == USELESS and found.positions < POSITIONS:
        level = DOUBTFUL
    return Verdict(level, "; ".join(dict.fromkeys(parts)), output)


def by_skill(
    output: str,
    what: str,
    keras: float,
    file: float,
    constant: float = 0.0,
    count: int = 0,
    least: float | None = None,
) -> Verdict:
    """Judge an output by labels: what a file keeps of what the model has over a constant.

    Args:
        output: Its name.
        what: The metric, of which more is better.
        keras: Its value for the Keras model.
        file: For the file.
        constant: For the best constant: of R2, 0. Defaults to `0.0`.
        count: Of an accuracy, number of labels: a few more or less wrong are chance. Defaults to
            `0`: it is no accuracy.
        least: Share below which the file is of no use, if it is less than 0.5. Defaults to `None`:
            0.5.

    Example:
    >>> by_skill("y", "R2", 0.77, -1.1).why
    "R2 of output 'y' is -1.1, in Keras 0.77"
    """
    skill = keras - constant
    if skill < _SKILL or (count and (keras - file) * count < _BY_CHANCE):
        return Verdict(SOUND, output=output)
    lowest = _LEAST_SKILL if least is None else min(_LEAST_SKILL, least)
    level = _level((file - constant) / skill, lowest, _ENOUGH_SKILL)
    why = f"{what} of output {output!r} is {file:.3g}, in Keras {keras:.3g}"
    return Verdict(level, why if level != SOUND else "", output)


def by_metric(
    name: str,
    keras: float,
    file: float,
    constant: float,
    more: bool,
    count: int = 0,
    refuses: bool = True,
    least: float | None = None,
) -> Verdict:
    """Judge a file by a metric that its model was compiled with, as `by_skill` does by accuracy.

    Args:
        name: The metric.
        keras: Its value for the Keras model.
        file: For the file.
        constant: For outputs that are the same for all samples.
        more: Whether more of it is better.
        count: Where it counts classes, labels of the rarest one: a few are chance. Defaults to
            `0`: it counts nothing.
        refuses: Whether a file may be of no use by it. Defaults to `True`.
        least: As in `by_skill`. Defaults to `None`.

    Example:
    >>> by_metric("rmse", 0.1, 0.9, 1.1, more=False).why
    "the compiled metric 'rmse' is 0.9, in Keras 0.1"
    """
    sign = 1.0 if more else -1.0
    skill = sign * (keras - constant)
    least_skill = _SKILL * max(abs(keras), abs(constant))
    if not np.isfinite([keras, constant]).all() or skill <= least_skill:
        return Verdict(SOUND)
    if count and abs(keras - file) * count < _BY_CHANCE:
        return Verdict(SOUND)
    lowest = _LEAST_SKILL if least is None else min(_LEAST_SKILL, least)
    share = sign * (file - constant) / skill if np.isfinite(file) else -np.inf
    level = _level(share, lowest, _ENOUGH_SKILL)
    if level == USELESS and not refuses:
        level = DOUBTFUL
    why = f"the compiled metric {name!r} is {file:.3g}, in Keras {keras:.3g}"
    return Verdict(level, why if level != SOUND else "")


def with_labels(
    verdicts: Sequence[Verdict],
    agreement: Mapping[str, Agreement],
    labelled: Sequence[Verdict],
) -> list[Verdict]:
    """Let labels decide: classes that are as right as the model's are of use.

    Args:
        verdicts: Of outputs.
        agreement: By output name, how it compares.
        labelled: Of those outputs that have labels, by these.
    """
    right = {one.output for one in labelled if one.level == SOUND}
    found = []
    for one in verdicts:
        fidelity = agreement[one.output].fidelity
        classes = fidelity is not None and fidelity.agreement is not None
        spared = one.level == USELESS and one.output in right and classes
        found.append(replace(one, level=DOUBTFUL) if spared else one)
    return found


def worst_of(verdicts: Sequence[Verdict]) -> str:
    """Give the level of the worst of some verdicts."""
    return max((one.level for one in verdicts), key=_RANK.__getitem__, default=SOUND)


def entry_words(output: str, entry: Entry, names: Sequence[str] = ()) -> str:
    """Say what an entry keeps.

    Example:
    >>> entry_words("y", Entry(1, 0.2, 3, 90, 0.0, 1.0))
    "entry 1 of output 'y' keeps 20% of its variance and takes 3 values where Keras's takes 90"
    """
    which = f"output {output!r}"
    if entry.index is not None:
        called = f" ({names[entry.index]!r})" if entry.index < len(names) else ""
        which = f"entry {entry.index}{called} of {which}"
    values = f"{entry.distinct} value{'s' * (entry.distinct != 1)}"
    said = (
        f"{which} keeps {_share(entry.variance)} of its variance and takes {values} where Keras's "
        f"takes {entry.keras_distinct}"
    )
    if entry.saturated >= _SATURATED:
        said += (
            f"; {entry.saturated:.0%} of them stand at the end of what the file can hold, beyond "
            "which Keras goes"
        )
    return said


def remedies(verdicts: Sequence[Verdict], agreement: Mapping[str, Agreement]) -> list[str]:
    """Say what to do, as far as the numbers of the outputs tell.

    Args:
        verdicts: Those that are not sound.
        agreement: By output name, how it compares.
    """
    said: list[str] = []
    for one in verdicts:
        found = agreement[one.output].fidelity
        entry = found.worst if found is not None else None
        if found is None or entry is None:
            continue
        if entry.saturated >= _SATURATED:
            said.append(
                "Calibrate on data in which the output takes all the values that it will take."
            )
        if found.step is not None and found.step > _COARSE * entry.spread:
            which = "what it gives" if entry.index is None else f"entry {entry.index}"
            kind = "number" if entry.index is None else found.kind
            said.append(
                f"A step of output {one.output!r} in the file is {found.step:.3g}, and the "
                f"standard deviation of {which} is {entry.spread:.3g}: {_FINER[kind]}."
            )
    return list(dict.fromkeys(said))


def within_a_step(
    outputs: Mapping[str, NDArray[np.generic]], held: Mapping[str, Limits]
) -> list[str]:
    """Say which outputs hardly vary: all that an entry gives lies within one step of the file.

    Args:
        outputs: By name, what the Keras model gives.
        held: By name, what the file's outputs can hold.
    """
    said = []
    for name in outputs.keys() & held.keys():
        right = outputs[name]
        entries = right.reshape(-1, right.shape[-1] if right.ndim > 1 else 1).astype(np.float64)
        most = float(np.ptp(entries, 0).max(initial=0.0)) if len(entries) else 0.0
        if 0 < most < held[name].step:
            kind = "number" if entries.shape[1] == 1 else fidelity(right, right).kind
            said.append(
                f"No entry of output {name!r} varies by more than {most:.2g}, and a step of the "
                f"file is {held[name].step:.3g}: {_FINER[kind]}."
            )
    return said


_RANK = {SOUND: 0, DOUBTFUL: 1, USELESS: 2}
# What makes the steps of an output finer, beside its spread.
_FINER = {
    "number": "train on a target without so large a mean, and add it outside the file",
    "values": (
        "give entries of so different scales outputs of their own, or scale the targets alike, and "
        "train again"
    ),
    "classes": "scale what the output gives, which eight bits hold in steps of that size",
    "probabilities": (
        "the probabilities hardly vary on this data; the numbers before the sigmoid have finer "
        "steps, so give these as the output"
    ),
    "distribution": (
        "the probabilities hardly vary on this data, as of a model that was not trained; the "
        "logits have finer steps, so leave the softmax out of the file"
    ),
}


def _by_entries(found: Fidelity, lost: int, doubted: int) -> str:
    total = len(found.shares)
    if total > _FEW:
        if lost > _MANY_LOST * total:
            return USELESS
        return DOUBTFUL if lost > _SOME_LOST * total or doubted > _MANY_LOST * total else SOUND
    if lost:
        rare = found.kind == "probabilities" and found.worst and found.worst.spread < _RARE
        return DOUBTFUL if rare else USELESS
    return DOUBTFUL if doubted or _steps(found) else SOUND


def _steps(found: Fidelity) -> bool:
    """Tell whether a quantity comes in a few steps only."""
    worst = found.worst
    return (
        found.kind == "values"
        and worst is not None
        and worst.distinct <= _DISTINCT
        and worst.keras_distinct >= _TIMES * worst.distinct
    )


def _level(share: float, least: float, enough: float) -> str:
    return USELESS if share < least else DOUBTFUL if share < enough else SOUND


def _share(kept: float) -> str:
    return "none" if kept <= 0 else f"{kept:.0%}"
