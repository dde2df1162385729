"""Which outputs are of use, doubtful or useless, and what is said: on numbers alone."""

import numpy as np
import pytest

from kerasopt.export.validation.agreement import compare
from kerasopt.export.validation.fidelity import Limits
from kerasopt.export.validation.usefulness import (
    DOUBTFUL,
    SOUND,
    USELESS,
    by_metric,
    by_skill,
    remedies,
    verdict,
    with_labels,
    worst_of,
)

RNG = np.random.default_rng(0)
WEATHER = np.stack([1013 + 5 * RNG.normal(size=400), 1.3 * RNG.normal(size=400)], 1)
BOXES = np.concatenate([300 * RNG.random((60, 9, 4)), RNG.random((60, 9, 1))], -1)
LOGITS = 2 * RNG.normal(size=(300, 10))


def stepped(values, step):
    return np.round(values / step) * step


def noisy(values, share):
    """Add noise that takes a share of the variance of every column."""
    spread = values.reshape(-1, values.shape[-1]).std(0)
    return values + np.sqrt(share) * spread * np.random.default_rng(1).normal(size=values.shape)


@pytest.mark.parametrize(
    ("right", "came", "level"),
    [
        (WEATHER, stepped(WEATHER, 1040 / 255), USELESS),
        (WEATHER, noisy(WEATHER, 0.02), SOUND),
        (BOXES, stepped(BOXES, 300 / 255), USELESS),
        (BOXES[..., :4], stepped(BOXES[..., :4], 300 / 255), SOUND),
        (BOXES[..., 4:], stepped(BOXES[..., 4:], 1 / 255), SOUND),
        (LOGITS, noisy(LOGITS, 0.03), SOUND),
        (LOGITS, noisy(LOGITS, 0.2), DOUBTFUL),
        (LOGITS, noisy(LOGITS, 2.0), USELESS),
        (WEATHER[:, :1], np.full((400, 1), 1013.0), USELESS),
        (WEATHER[:, 0], noisy(WEATHER[:, :1], 0.03)[:, 0], SOUND),
        # 16 numbers of the check are few, but four of them are no prediction.
        (np.linspace(0, 9, 40)[:, None], stepped(np.linspace(0, 9, 40)[:, None], 2.5), DOUBTFUL),
        (np.ones((9, 3)), np.ones((9, 3)), SOUND),
        (np.arange(9), np.arange(9), SOUND),
    ],
)
def test_levels(right, came, level):
    assert verdict("y", compare(right, came)).level == level


def test_few_samples_are_no_ground_to_refuse():
    right = RNG.normal(size=(6, 2))
    assert verdict("y", compare(right, right * 0)).level == DOUBTFUL
    assert verdict("y", compare(right[:1], right[:1] * 0)).level == SOUND


def test_an_embedding_may_lose_what_hardly_varies():
    right = RNG.normal(size=(200, 64)) * np.where(np.arange(64) < 60, 1.0, 1e-3)
    assert verdict("y", compare(right, stepped(right, 8 / 255))).level == DOUBTFUL
    assert verdict("y", compare(right[:, :62], stepped(right[:, :62], 8 / 255))).level == SOUND
    # But not most of it: boxes and eighty scores in one tensor.
    yolo = np.concatenate([640 * RNG.random((200, 4)), RNG.random((200, 80))], 1)
    assert verdict("y", compare(yolo, stepped(yolo, 640 / 255))).level == USELESS


def test_what_is_wanted_can_be_set():
    agreement = compare(LOGITS, noisy(LOGITS, 0.2))
    assert verdict("y", agreement, least=0.95).level == USELESS
    assert verdict("y", agreement, least=0.5).level == DOUBTFUL


def test_the_worst_entry_is_named():
    held = Limits(0.0, 1040.0, 1040 / 255)
    agreement = compare(WEATHER, stepped(WEATHER, held.step), held)
    said = verdict("now", agreement, names=["pressure", "rain"])
    assert "entry 1 ('rain') of output 'now' keeps" in said.why
    assert "and takes 3 values where Keras's takes 400" in said.why
    assert "entry 1 of output" in verdict("now", agreement).why
    (todo,) = remedies([said], {"now": agreement})
    assert "A step of output 'now' in the file is 4.08" in todo
    assert "outputs of their own" in todo


def test_one_number_beside_a_large_mean():
    held = Limits(0.0, 1040.0, 1040 / 255)
    right = 1013 + 2.5 * RNG.normal(size=(200, 1))
    agreement = compare(right, stepped(right, held.step), held)
    said = verdict("p", agreement)
    assert said.level == DOUBTFUL
    assert said.why.startswith("output 'p' keeps")
    assert "without so large a mean" in remedies([said], {"p": agreement})[0]


def test_saturation_is_said():
    right = RNG.normal(size=(200, 1))
    held = Limits(-0.5, 0.5, 1 / 255)
    agreement = compare(right, np.clip(right, -0.5, 0.5), held)
    said = verdict("y", agreement)
    assert said.level == DOUBTFUL
    assert "stand at the end of what the file can hold" in said.why
    assert "Calibrate on data" in remedies([said], {"y": agreement})[0]


@pytest.mark.parametrize(
    ("keras", "file", "constant", "count", "level"),
    [
        (0.77, -1.1, 0.0, 0, USELESS),
        (0.77, 0.76, 0.0, 0, SOUND),
        (0.77, 0.66, 0.0, 0, DOUBTFUL),
        (0.01, -3.0, 0.0, 0, SOUND),  # a model that can do nothing has nothing to lose
        (0.95, 0.94, 0.1, 1000, SOUND),
        (0.95, 0.85, 0.1, 1000, DOUBTFUL),
        (0.95, 0.30, 0.1, 1000, USELESS),
        (0.95, 0.85, 0.1, 20, SOUND),  # two of twenty are chance
    ],
)
def test_labels_judge_by_what_is_kept_of_the_skill(keras, file, constant, count, level):
    assert by_skill("y", "accuracy", keras, file, constant, count).level == level


@pytest.mark.parametrize(
    ("keras", "file", "constant", "more", "count", "level"),
    [
        (0.95, 0.60, 0.5, True, 50, USELESS),
        (0.95, 0.90, 0.5, True, 500, DOUBTFUL),
        (0.95, 0.90, 0.5, True, 50, SOUND),  # less than four of the rarest class
        (0.51, 0.40, 0.5, True, 500, SOUND),  # no better than a constant
        (0.8, 0.2, 1.0, True, 500, SOUND),
        (2.0, 30.0, 40.0, False, 0, USELESS),
        (2.0, 6.0, 40.0, False, 0, DOUBTFUL),
        (2.0, 2.5, 40.0, False, 0, SOUND),
        (2e-6, 3e-5, 4e-5, False, 0, USELESS),  # whatever the unit
        (2.0, np.nan, 40.0, False, 0, USELESS),
        (np.nan, 1.0, 40.0, False, 0, SOUND),
        (-0.99, -0.2, 0.0, False, 0, USELESS),
        (1.0, 0.0, 0.0, True, 0, USELESS),
    ],
)
def test_compiled_metrics_judge_by_what_is_kept_of_the_skill(
    keras, file, constant, more, count, level
):
    found = by_metric("score", keras, file, constant, more, count)
    assert found.level == level
    assert bool(found.why) == (level != SOUND)
    mild = by_metric("score", keras, file, constant, more, count, refuses=False)
    assert mild.level == (SOUND if level == SOUND else DOUBTFUL)
    assert by_metric("score", keras, file, constant, more, count, least=-np.inf).level != USELESS


def test_labels_spare_classes():
    agreement = {"y": compare(LOGITS, noisy(LOGITS, 2.0))}
    mine, right = [verdict("y", agreement["y"])], [by_skill("y", "accuracy", 0.9, 0.9, 0.1, 300)]
    assert [one.level for one in with_labels(mine, agreement, right)] == [DOUBTFUL]
    assert [one.level for one in with_labels(mine, agreement, [])] == [USELESS]
    assert worst_of([*mine, *right]) == USELESS
    assert worst_of([]) == SOUND


def test_a_few_of_another_class_decide_nothing():
    """Of 100, one is of another class and is not found: kappa is 0, and it is one in a hundred."""
    logits = 0.1 * RNG.normal(size=(100, 4)) + np.eye(4)[0] * 0.9
    logits[0] = np.eye(4)[1]
    came = logits.copy()
    came[0, :2] = 0.9, 0.8
    agreement = compare(logits, came)
    assert agreement.fidelity.kind == "classes"
    assert agreement.fidelity.agreement is None
    assert "largest" not in verdict("y", agreement).why


def test_logits_that_are_off_by_the_same_are_doubtful():
    logits = RNG.normal(size=(300, 4)) + 3 * np.eye(4)[RNG.integers(0, 4, 300)]
    agreement = compare(logits, logits + 1.8 * np.eye(4)[0])
    assert agreement.fidelity.worst.variance < 0
    assert agreement.fidelity.agreement > 0.5
    assert verdict("y", agreement).level == DOUBTFUL


def test_what_makes_steps_finer_depends_on_the_output():
    held = Limits(0.0, 1.0, 1 / 256)
    likely = np.full((50, 4), 0.25) + 1e-3 * RNG.normal(size=(50, 4)).round(1)
    likely /= likely.sum(1, keepdims=True)
    logits = RNG.normal(size=(50, 4))
    for right, step, said in (
        (likely, held.step, "leave the softmax out"),
        (logits, 8.0, "scale what the output gives"),
        (likely[:, :1], held.step, "without so large a mean"),
    ):
        agreement = compare(right, stepped(right, step), Limits(0.0, 1.0, step))
        found = verdict("y", agreement)
        assert found.level == USELESS or found.level == DOUBTFUL
        (todo,) = remedies([found], {"y": agreement})
        assert said in todo
        assert "outputs of their own" not in todo


def test_the_least_share_goes_for_classes_and_labels_too():
    right, came = LOGITS, noisy(LOGITS, 20.0)
    assert verdict("y", compare(right, came)).level == USELESS
    assert verdict("y", compare(right, came), -float("inf")).level == DOUBTFUL
    assert by_skill("y", "R2", 0.8, -1.0).level == USELESS
    assert by_skill("y", "R2", 0.8, -1.0, least=-2.0).level == DOUBTFUL
    assert by_skill("y", "R2", 0.8, 0.1, least=0.9).level == USELESS
