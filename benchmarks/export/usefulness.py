"""Does the verification tell useful files from useless ones? Trained models tell, by their task."""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks.common.tables import table
from benchmarks.export.trained import Subject, subjects
from kerasopt.export import ExportError
from kerasopt.export.data.samples import Samples
from kerasopt.export.file.flatbuffer import TFLiteFile
from kerasopt.export.preparation import prepare
from kerasopt.export.validation.agreement import Agreement, shortfall
from kerasopt.export.validation.usefulness import (
    DOUBTFUL,
    ENOUGH,
    LEAST,
    SOUND,
    USELESS,
    Verdict,
    by_skill,
    verdict,
    worst_of,
)
from kerasopt.export.validation.validator import by_reference, file_outputs, verify
from tests.export.kinds import KINDS

EARLIER = (
    "In a run of 2026-11-30, of other initial weights, three of eight doubtful files passed "
    "without a warning: detectors with boxes and score in one tensor, with 0.87 to 0.92 of the "
    "skill. They kept 0.951 to 0.961 of the variance of their worst entry, at 26 to 31 dB, and a "
    "file that was sound kept 0.927 at 17 dB: no threshold on either warns of the ones without the "
    "other."
)
"""What a run without a fixed seed showed, which this one may not."""

MODES = ("float16", "dynamic", "int8", "int16x8")
CHECKED = 100
BELIEVED_DB = -1e9
LOST, WHOLE = 0.5, 0.95
"""Share of the skill below which a file is useless in truth, and above which it is sound."""

LEAST_SKILL = 0.05
"""What a model has to do better than a constant, so that a file can keep a share of it."""


@dataclass(frozen=True)
class Row:
    """One file.

    Attributes:
        name: Of the model.
        mode: Of the file.
        agreement: By output name, how it compares on the samples of the check.
        metric: Name of the task's metric.
        keras: Its value for the model on all test samples.
        file: For the file.
        skill: Share of what the model does better than a constant that the file keeps; not a
            number if that is next to nothing.
        level: What the verification says.
        labelled: What it says with labels; empty where none are given.
        reference: By LiteRT's reference kernels, as `agreement`; empty where they do not run it.
    """

    name: str
    mode: str
    agreement: Mapping[str, Agreement]
    metric: str
    keras: float
    file: float
    skill: float
    level: str
    labelled: str
    reference: Mapping[str, Agreement]

    @property
    def by_reference(self) -> str:
        """What the verification says of the reference kernels' outputs."""
        return level_of(self.mode, self.reference) if self.reference else ""

    @property
    def truth(self) -> str:
        """What the file is by its task; nothing if the model itself can do nothing."""
        if np.isnan(self.skill):
            return ""
        return USELESS if self.skill < LOST else SOUND if self.skill >= WHOLE else DOUBTFUL

    @property
    def fits(self) -> bool:
        """Whether no sound file is refused, and no useless one silent."""
        return (self.truth, self.level) not in ((SOUND, USELESS), (USELESS, SOUND))


def rows(data: Path, quick: bool = False) -> Iterator[Row]:
    """Train, export and judge."""
    begun = time.perf_counter()
    keras.utils.set_random_seed(0)
    for subject in subjects(data, quick):
        yield from _rows(subject)
        print(f"{subject.name}: {time.perf_counter() - begun:.0f} s", file=sys.stderr, flush=True)


def level_of(mode: str, agreement: Mapping[str, Agreement]) -> str:
    """Say what the verification says of a file."""
    if any(shortfall(mode, one) for one in agreement.values()):
        return USELESS
    return worst_of([verdict(name, one) for name, one in agreement.items()])


def _rows(subject: Subject) -> Iterator[Row]:
    model, check = subject.model, subject.test[:CHECKED]
    prepared = prepare(model, MODES, subject.calibration, check, None)
    metric, value = subject.metric
    outputs = model.predict(subject.test, verbose=0)
    named = outputs if isinstance(outputs, (list, tuple)) else [outputs]
    keras = value(dict(zip(prepared.expected, named, strict=True)))
    with prepared.saved() as saved:
        for mode in MODES:
            try:
                file = TFLiteFile(saved.convert(mode))
                signature = prepared.signature
                agreement = verify(
                    file, mode, signature, prepared.data, prepared.expected, BELIEVED_DB
                )
                reference = by_reference(file, signature, prepared.data, prepared.expected)
                # All of them: `validation_data` takes 256 at most.
                all_of_it = Samples("test", ({signature.inputs[0].name: subject.test},))
                found = file_outputs(file.content, signature, all_of_it)
            except ExportError as error:
                print(f"{subject.name}, {mode}: {error}", file=sys.stderr)
                continue
            mine = value({name: found[name] for name in prepared.expected})
            level = level_of(mode, agreement)
            labelled = ""
            if subject.labels is not None:
                labelled = _labelled(subject, keras, mine, level)
            has = keras - subject.chance
            skill = (mine - subject.chance) / has if has >= LEAST_SKILL else float("nan")
            figures = (keras, mine, skill)
            yield Row(subject.name, mode, agreement, metric, *figures, level, labelled, reference)


def _labelled(subject: Subject, keras: float, mine: float, level: str) -> str:
    count = len(subject.test) if subject.metric[0] == "accuracy" else 0
    said = by_skill("y", subject.metric[0], keras, mine, subject.chance, count).level
    if said == SOUND and level == USELESS and count:
        return DOUBTFUL
    return worst_of([Verdict(said), Verdict(level)])


def kinds(names: Sequence[str]) -> tuple[Counter[str], list[str]]:
    """Judge the kinds of the matrix, whose weights are random.

    Returns:
        How many files are at each level, and a line for each that is not sound.
    """
    counts: Counter[str] = Counter()
    lines = []
    for name in names:
        kind = KINDS[name]
        keras.utils.set_random_seed(0)
        data = kind.data(np.random.default_rng(0))
        try:
            prepared = prepare(kind.build(), MODES, data, None, kind.batch_size)
        except (ExportError, ValueError):
            continue
        with prepared.saved() as saved:
            for mode in MODES:
                try:
                    prepared.refuse(mode)
                    agreement = verify(
                        TFLiteFile(saved.convert(mode)), mode, prepared.signature,
                        prepared.data, prepared.expected, BELIEVED_DB,
                    )  # fmt: skip
                except ExportError:
                    continue
                level = level_of(mode, agreement)
                counts[level] += 1
                if level != SOUND:
                    lines.append(f"- {name}, {mode}: {level}; {_figures(agreement)}")
        print(name, file=sys.stderr, flush=True)
    return counts, lines


def usefulness_part(found: Sequence[Row], counts: Counter[str], others: Sequence[str]) -> list[str]:
    """Give the summary and the table."""
    truths = (SOUND, DOUBTFUL, USELESS)
    heads = ["by its task", "files", "said to be sound", "warned of", "refused"]
    summary = []
    for truth in truths:
        mine = [row for row in found if row.truth == truth]
        levels = Counter(row.level for row in mine)
        summary.append([truth, str(len(mine)), *(str(levels[one]) for one in truths)])
    wrong = [f"- {row.name}, {row.mode}: {row.truth}, said to be {row.level}"
             for row in found if not row.fits]  # fmt: skip
    columns = ["model", "mode", "dB", "least variance kept", "values, Keras's", "kappa", "metric",
               "Keras", "file", "skill kept", "verdict", "with labels",
               "reference kernels: dB, verdict"]  # fmt: skip
    lines = table(heads, summary)
    lines += ["Sound files refused, and useless ones without a word:", "", *(wrong or ["- none"])]
    least = {truth: [_kept(row) for row in found if row.truth == truth] for truth in truths}
    if least[SOUND] and least[USELESS]:
        lines += [
            "",
            f"Sound files keep {min(least[SOUND]):.2f} of the variance of their worst entry and "
            f"more, useless ones {max(least[USELESS]):.2f} and less: what keeps less than "
            f"{LEAST:g} is refused, and less than {ENOUGH:g} a warning.",
        ]
    idle = dict.fromkeys(row.name for row in found if not row.truth)
    if idle:
        lines += [
            "",
            f"Models that learned nothing, whose files are not counted: {'; '.join(idle)}.",
        ]
    lines += ["", *_silent(found), "", EARLIER, "", _both_kernels(found)]
    lines += ["", f"The kinds of the matrix: {_counts(counts)}. Those that are not sound:", ""]
    lines += [*(others or ["- none"]), ""]
    return lines + table(columns, [_cells(row) for row in found], 2)


def _silent(found: Sequence[Row]) -> list[str]:
    """Say of the doubtful files without a warning whether a figure tells them from sound ones."""
    silent = [row for row in found if (row.truth, row.level) == (DOUBTFUL, SOUND)]
    if not silent:
        return ["No doubtful file passes without a warning."]
    said = [
        f"{len(silent)} doubtful file{'s' * (len(silent) > 1)} pass without a warning, with "
        f"{min(row.skill for row in silent):.2f} to {max(row.skill for row in silent):.2f} of the "
        "skill. Would a threshold that warns of all of them warn of sound files too?",
        "",
    ]
    sound = [row for row in found if row.truth == SOUND and row.level == SOUND]
    for what, figure in (
        ("least variance kept", _kept),
        ("dB", lambda row: _db(row.agreement)),
        ("kappa", lambda row: getattr(_worst(row.agreement), "agreement", None)),
        ("values in the file", _distinct),
    ):
        theirs = [figure(row) for row in silent]
        if None in theirs:
            said.append(f"- {what}: not all of them have it.")
            continue
        highest = max(theirs)
        others = [figure(row) for row in sound]
        caught = sum(one is not None and one <= highest for one in others)
        said.append(f"- {what}, up to {highest:.3g}: {caught} of {len(sound)} sound files.")
    return said


def _distinct(row: Row) -> int | None:
    worst = _worst(row.agreement)
    return None if worst is None else worst.worst.distinct


def _both_kernels(found: Sequence[Row]) -> str:
    """Say how often the two kinds of kernels are judged differently."""
    both = [row for row in found if row.reference]
    other = [row for row in both if row.by_reference != row.level]
    names = ": " + "; ".join(
        f"{row.name}, {row.mode} {row.level}, by the reference kernels {row.by_reference}"
        for row in other
    )
    return (
        f"LiteRT's reference kernels, which microcontrollers compute, run {len(both)} of the "
        f"{len(found)} files, and the verdict on {len(other)} is another{names if other else ''}."
    )


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[one]} {one}" for one in (SOUND, DOUBTFUL, USELESS))


def _db(agreement: Mapping[str, Agreement]) -> float:
    return min(one.sqnr_db for one in agreement.values())


def _worst(agreement: Mapping[str, Agreement]) -> Any:
    found = [one.fidelity for one in agreement.values() if one.fidelity and one.fidelity.worst]
    return min(found, key=lambda one: one.worst.variance, default=None)


def _kept(row: Row) -> float:
    worst = _worst(row.agreement)
    return 1.0 if worst is None else float(worst.worst.variance)


def _figures(agreement: Mapping[str, Agreement]) -> str:
    worst = _worst(agreement)
    db = _db(agreement)
    if worst is None:
        return f"{db:.1f} dB"
    return (
        f"{db:.1f} dB, keeps {worst.worst.variance:.2f}, {worst.worst.distinct} values of "
        f"{worst.worst.keras_distinct}, kappa {_kappa(worst)}"
    )


def _kappa(found: Any) -> str:
    return "" if found is None or found.agreement is None else f"{found.agreement:.2f}"


def _cells(row: Row) -> list[str]:
    found = _worst(row.agreement)
    worst = found.worst if found is not None else None
    return [
        row.name,
        row.mode,
        f"{_db(row.agreement):.0f}",
        "" if worst is None else f"{worst.variance:.3f}",
        "" if worst is None else f"{worst.distinct}, {worst.keras_distinct}",
        _kappa(found),
        row.metric,
        f"{row.keras:.3f}",
        f"{row.file:.3f}",
        "" if np.isnan(row.skill) else f"{row.skill:.2f}",
        row.level,
        row.labelled,
        f"{_db(row.reference):.0f}, {row.by_reference}" if row.reference else "do not run it",
    ]
