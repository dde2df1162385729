"""The judgement on a file: sound, doubtful or useless, the layers to blame and what to do."""

from collections.abc import Mapping

from kerasopt.export.accuracy_control.blame import cure, suspects
from kerasopt.export.accuracy_control.exclusion import Made
from kerasopt.export.attribution.owners import owners
from kerasopt.export.convert.converter import Saved
from kerasopt.export.errors import ExportError
from kerasopt.export.options import MODES, Wish
from kerasopt.export.preparation import Prepared
from kerasopt.export.validation.accuracy import Judged
from kerasopt.export.validation.agreement import Agreement
from kerasopt.export.validation.usefulness import (
    LEAST,
    SOUND,
    USELESS,
    Verdict,
    remedies,
    verdict,
    with_labels,
    worst_of,
)

_FLOAT = ("float32", "float16")


def judge(
    prepared: Prepared,
    saved: Saved,
    wish: Wish,
    file: Made,
    judged: Judged | None,
    agreement: Mapping[str, Agreement],
    reference: Mapping[str, Agreement],
) -> list[str]:
    """Say what a file loses that the ratio in dB does not show.

    Args:
        prepared: The model.
        saved: Of which files are made.
        wish: What it was to be like.
        file: The file.
        judged: Labelled samples, if there are any.
        agreement: By output name, how it compares.
        reference: The same by the reference kernels; empty if they were not run.

    Returns:
        A warning each.

    Raises:
        ExportError: If it is of no use.
    """
    names = dict(wish.metadata or {}).get("labels", [])

    def verdicts(found: Mapping[str, Agreement]) -> list[Verdict]:
        return [verdict(name, one, wish.least_variance, names) for name, one in found.items()]

    mine, theirs = verdicts(agreement), verdicts(reference)
    by_labels = judged.verdicts(file.content, wish.least_variance) if judged is not None else []
    mine = with_labels(mine, agreement, by_labels)
    level = worst_of([*mine, *theirs, *by_labels])
    said = []
    if wish.io != "float32" and not reference:
        said.append(
            "LiteRT's reference kernels, which microcontrollers compute, do not run the file."
        )
    if level == SOUND:
        return said
    which = _which(worst_of(mine), worst_of(theirs), level) if reference else ""
    shown = theirs if worst_of(theirs) == level and worst_of(mine) != level else mine
    bad = [one for one in [*by_labels, *shown] if one.level != SOUND]
    why = "; ".join(dict.fromkeys(one.why for one in bad if one.why))
    graphs = file.graphs
    layers = owners(graphs, prepared.traced.origin)
    batch = prepared.signature.batch or 1
    try:
        ranked = suspects(graphs[0], layers[0], saved.float32(), file.content, prepared.data, batch)
    except (RuntimeError, ValueError):  # without fast kernels it does not run
        ranked = []
    figures = agreement if shown is mine else reference
    todo = remedies([one for one in shown if one.level != SOUND], figures)
    found = cure(prepared, saved, wish, file.kept, ranked, level)
    if found.layers:
        better = "it is sound" if found.level == SOUND else "it loses less"
        todo.insert(0, f"With `exclude={list(found.layers)}` {better}.")
    elif ranked and MODES[wish.mode].excludes:
        todo.append(f"Most is lost in {', '.join(map(repr, ranked[:2]))}.")
    if not found.layers:
        todo.append(_otherwise(wish.mode))
    advice = " ".join(todo)
    said_of = f"{which or ' '}{why if which else why[:1].upper() + why[1:]}. {advice}"
    random = prepared.data.source == "random"
    if level == USELESS and not wish.lifted and not random:
        least = LEAST if wish.least_variance is None else wish.least_variance
        raise ExportError(
            f"The {wish.mode} file is of no use, so it was not written.{said_of} "
            f"(`least_variance`, now {least:g}, is the share that is wanted.)"
        )
    if random:
        said_of += " This was measured on random inputs: give real samples as `validation_data`."
    # By the usual share, whatever the user takes on.
    usual = [verdict(*one) for one in (*agreement.items(), *reference.items())]
    usual += judged.verdicts(file.content) if judged is not None else []
    what = "is of no use" if USELESS in (level, worst_of(usual)) else "is coarse"
    return [*said, f"The {wish.mode} file {what}.{said_of}"]


def _otherwise(mode: str) -> str:
    """Say what helps where no single layer does."""
    if mode in _FLOAT:
        return "Train on a target of another scale, or use `mode='float32'`."
    if MODES[mode].excludes:
        return "`sensitivity` ranks the layers; or use `mode='float16'`."
    return "Use `mode='float16'`, or `mode='int8'` with `exclude`."


def _which(mine: str, theirs: str, level: str) -> str:
    """Say which kernels are meant where both were run; nothing where labels are."""
    if level not in (mine, theirs):
        return ""
    if mine == theirs:
        return " By XNNPACK and by the reference kernels: "
    if theirs == level:
        return " By the reference kernels, which microcontrollers compute: "
    return " By XNNPACK, which phones compute: "
