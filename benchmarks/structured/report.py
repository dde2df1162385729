"""The text: the goals first, then how it was measured, then the tables."""

from statistics import median
from typing import Any, NamedTuple

from benchmarks.common.tables import met, table
from benchmarks.structured.models import KINDS
from benchmarks.structured.numbers import Numbers, shown
from benchmarks.structured.runs import DENSE, DISTILLED, ITERATIVE, RECONSTRUCTED, SCRATCH, name_of
from benchmarks.structured.settings import DEFAULT, DRIVEN, Settings
from benchmarks.structured.tables import TITLES, criteria, ratios, targets
from benchmarks.structured.training import GLANCE

Found = dict[str, Any]
MB = 1e6
PLAN_S, SHRINK_S, MEMORY = 2.0, 10.0, 2.0


class Goal(NamedTuple):
    """What is wanted of a model with so much of the MACs left.

    Attributes:
        points: Most that the accuracy may be below dense.
        float32: How many times as fast.
        int8: The same, of the int8 file.
        smaller: How many times smaller the int8 file is; 0: not asked.
        above: Whether it must be better than the same widths from scratch.
    """

    points: float
    float32: float
    int8: float
    smaller: float = 0.0
    above: bool = False


GOALS = {0.5: Goal(0.5, 1.3, 3.3, above=True), 0.25: Goal(1.5, 2.0, 5.5, smaller=10.0)}


def goals(record: Found) -> list[str]:
    """Give the section on the goals."""
    rows = []
    for at, goal in GOALS.items():
        for kind in record["runs"]:
            numbers = Numbers(record, kind)
            for how in (DEFAULT, DRIVEN, *RECONSTRUCTED, ITERATIVE, DISTILLED):
                run = name_of((how, at))
                if numbers.has(run):
                    title = f"{at:g} of the MACs, {kind}: {TITLES[how]}"
                    rows.append([title, *_goal(numbers, run, name_of((SCRATCH, at)), goal)])
    heads = ["", "accuracy less dense, points", "less from scratch, points",
             "float32, times as fast", "int8, times as fast",
             "int8 file, times smaller"]  # fmt: skip
    return [
        "## The goals",
        "",
        f"Means ± standard errors over {len(numbers.seeds)} seeds; each beside dense float32 of "
        "the same seed. `l2` is the default criterion; the others are shown beside it.",
        "",
        *table(heads, rows),
    ]


def _goal(numbers: Numbers, run: str, scratch: str, goal: Goal) -> list[str]:
    less = numbers.less(run)
    fast = {mode: numbers.faster(run, mode) for mode in ("float32", "int8")}
    smaller = numbers.bytes(DENSE) / numbers.bytes(run, "int8")
    above = numbers.less(run, scratch)
    size, beside = f"{smaller.mean():.1f}", shown(above, "+.2f")
    if goal.smaller:
        size += f" (goal {goal.smaller:g}: {met(smaller.mean() >= goal.smaller)})"
    if goal.above:
        beside += f" (goal above 0: {met(above.mean() > 0)})"
    return [
        f"{shown(less, '+.2f')} (goal -{goal.points:g}: {met(less.mean() >= -goal.points)})",
        beside,
        *(
            f"{shown(fast[mode])} (goal {getattr(goal, mode):g}: "
            f"{met(fast[mode].mean() >= getattr(goal, mode))})"
            for mode in fast
        ),
        size,
    ]


def method(record: Found) -> list[str]:
    """Give the section on how it was measured."""
    its = Settings(**record["settings"])
    loads = [f"{one['load']:.1f}" for one in record.get("latency", {}).values()]
    return [
        "## How it was measured",
        "",
        f"- {record['data']}: {its.train:,} images to train on, others for each seed; "
        f"{its.test:,} of the test set to judge by, on which nothing was chosen. Batch "
        f"{its.batch}, Adam.",
        f"- Dense: {its.epochs} epochs from {its.rate:g} along half a cosine to 0. Then everything "
        f"has {its.tuning} epochs more, from {its.tuning_rate:g} likewise: dense as it is, "
        "what was shrunk, what `Pruning` masks. *From scratch*: the widths that `l2` leaves, new "
        f"weights, all {its.epochs} + {its.tuning} epochs at the same rates. The rates were chosen "
        "once, on a seed of its own that sees no test images, for all alike.",
        "- `budget` is the fraction of the MACs that stays, `pruning_ratio` that of the channels "
        f"that goes. What stays is a multiple of 8. Criteria that read data have "
        f"{16 * its.batches:,} training images, "
        f"the statistics of batch normalization {32 * its.batches:,}.",
        "- `reconstruct`: the kernels that took what went make up for it, by least squares on "
        f"{16 * its.batches:,} training images, before the fine-tuning.",
        f"- `OutputDistiller`: the dense model of {its.epochs} epochs is the teacher, by default. "
        f"`iterative_shrink`: {its.tuning} steps, one epoch after each, of half a cosine each.",
        "- `Pruning`: `PolynomialDecay` over the first half of the fine-tuning, "
        '`scope="global"`, to as many weights that are not zero as `l2` has parameters at that '
        "target; its *parameters* are those.",
        "- Accuracy is that of the exported file, float32 or int8, on the test images; *before "
        f"fine-tuning*: of the Keras model on {GLANCE:,} of them.",
        "- MACs, parameters and *peak* (activations of one sample, float32) by "
        "`kerasopt.profile.count`; *zipped*: the float32 file by zlib at level 9.",
        f"- Latency: one thread, one sample, after all training; the files of all runs and seeds "
        f"of a model in turn, {its.rounds} rounds of {its.seconds:g} s a file; medians, ratios to "
        "dense float32 of the same seed within the rounds. Load of the machine before: "
        f"{', '.join(loads)}.",
        "",
    ]


def cost(record: Found) -> list[str]:
    """Give the section on what shrinking costs."""
    found = record["cost"]
    weights, left = found[0]["weights"], found[0]["left"]
    rows = []
    for title, values, goal in (
        ("`shrink_plan`, s", [one["plan"] for one in found], PLAN_S),
        ("`shrink`, s", [one["shrink"] for one in found], SHRINK_S),
        ("memory at its peak, times the weights", [one["memory"] / weights for one in found],
         MEMORY),
    ):  # fmt: skip
        middle, every = median(values), ", ".join(f"{one:.2f}" for one in values)
        rows.append([title, f"{middle:.2f}", every, f"{goal:g}: {met(middle < goal)}"])
    return [
        "## What shrinking costs",
        "",
        f"ResNet50 without training, `pruning_ratio=0.5`, after a small model; {len(found)} "
        f"processes of one thread, one at a time. Weights of {weights / MB:.1f} MB, of which "
        f"{left / MB:.1f} MB stay. Memory: by how much the process grew while it shrank, the new "
        "model among it.",
        "",
        *table(["", "median", "each", "goal, below"], rows),
    ]


def text(record: Found) -> str:
    """Give the whole text."""
    minutes = ", ".join(f"{name} {value:.1f} min" for name, value in record["minutes"].items())
    lines = [
        "# Removing channels",
        "",
        f"{record['about']}; `{record['command']}`. {minutes[0].upper()}{minutes[1:]}.",
        "",
        *goals(record),
        "![Accuracy over the latency](shrink.png)",
        "",
        *method(record),
    ]
    for kind in record["runs"]:
        numbers = Numbers(record, kind)
        macs = numbers.get(DENSE, "macs")[0] / MB
        lines += [
            f"## {kind}",
            "",
            f"{KINDS[kind].about}; batch normalization after each convolution; {macs:.1f} million "
            "MACs.",
            "",
            *targets(numbers),
            *criteria(numbers),
            *ratios(numbers),
        ]
    return "\n".join([*lines, *cost(record)]).rstrip() + "\n"
