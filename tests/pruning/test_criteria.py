"""Criteria, against the formulas of their papers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kerasopt.pruning import (
    Context,
    Lamp,
    Magnitude,
    Movement,
    Random,
    Snip,
    Taylor,
    mask,
    masks,
)
from kerasopt.pruning.criteria import get as get_criterion
from kerasopt.pruning.criteria.registry import CRITERIA
from tests.conftest import examples

KERNELS = arrays(np.float32, array_shapes(max_dims=3, max_side=6), elements=st.integers(-4, 4))
KNOWN = {
    "gradient": [[1.0, 2.0], [3.0, 4.0]],
    "gradient_magnitude": [[1.0, 2.0], [3.0, 4.0]],
    "input_norm": [[1.0], [2.0]],
    "moved": [[1.0, 2.0], [3.0, 4.0]],
}
NAMES = ["magnitude", "lamp", "random", "taylor", "gradient", "snip", "movement", "wanda"]


def rng(seed=0):
    return np.random.default_rng(seed)


@given(KERNELS)
def test_lamp_is_the_papers_formula(weights):
    flat = weights.ravel().astype(float)
    # Sorted by rising magnitude; of equals the first is the larger one.
    order = sorted(range(flat.size), key=lambda i: (abs(flat[i]), -i))
    expected = np.zeros(flat.size)
    for place, number in enumerate(order):
        rest = sum(flat[other] ** 2 for other in order[place:])
        expected[number] = flat[number] ** 2 / rest if rest else 0.0
    np.testing.assert_allclose(Lamp().scores(weights, Context()).ravel(), expected, rtol=1e-12)


@given(KERNELS, st.floats(0, 0.999))
def test_lamp_keeps_in_a_layer_what_magnitude_keeps(weights, sparsity):
    assert np.array_equal(mask(weights, sparsity, criterion="lamp"), mask(weights, sparsity))


def test_lamp_does_not_know_the_scale_of_a_layer():
    a, b = rng().normal(size=(2, 40)).astype("f4")
    once = masks({"a": a, "b": b}, 0.7, scope="global", criterion="lamp")
    # Magnitude would take everything from one of them.
    for scale in (1e-30, 1e30):
        again = masks(
            {"a": a, "b": b.astype(float) * scale**6}, 0.7, scope="global", criterion="lamp"
        )
        assert all(np.array_equal(once[name], again[name]) for name in once)
    assert Lamp().scores(np.zeros((2, 2)), Context()).tolist() == [[0, 0], [0, 0]]


@given(st.integers(1, 12), st.integers(1, 6), st.integers(0, 99), st.integers(0, 11))
def test_wanda_takes_as_much_from_every_output(inputs, outputs, seed, gone):
    # Algorithm 1 of the paper, its W transposed: sort |W| * norm(X) for each output, and zero the
    # first ones of each.
    weights = rng(seed).normal(size=(inputs, outputs))
    activations = rng(seed + 1).normal(size=(30, inputs)) * rng(seed + 2).exponential(size=inputs)
    norm = np.linalg.norm(activations, axis=0)[:, None]
    gone = min(gone, inputs - 1)
    expected = np.ones(weights.shape, bool)
    np.put_along_axis(expected, np.argsort(abs(weights) * norm, axis=0)[:gone], False, axis=0)
    kept = mask(weights, gone / inputs, criterion="wanda", input_norm=norm)
    assert np.array_equal(kept, expected)


@pytest.mark.parametrize("seed", range(5))
def test_wanda_in_groups_and_blocks(seed):
    weights, norm = rng(seed).normal(size=(8, 3)), rng(seed + 9).exponential(size=(8, 1))
    product = abs(weights) * norm
    for pattern, sparsity in (("2:4", 0.5), ("block_2x3", 0.5), ("channel", 0.4)):
        kept = mask(weights, sparsity, pattern=pattern, criterion="wanda", input_norm=norm)
        assert np.array_equal(kept, mask(product, sparsity, pattern=pattern)), pattern


def test_products():
    weights = np.array([[-1.0, 2.0], [3.0, -4.0]])
    one, other = rng().normal(size=(2, 2, 2))
    context = Context(gradient=one, gradient_magnitude=abs(other), moved=other)
    assert np.array_equal(Magnitude().scores(weights, context), abs(weights))
    assert np.array_equal(Snip().scores(weights, context), abs(weights * one))
    np.testing.assert_array_equal(Taylor().scores(weights, context), abs(weights * other))
    assert np.array_equal(Movement().scores(weights, context), other)


def test_movement_broadcasts_as_the_others_do():
    kept = mask(np.ones((3, 2)), 0.5, criterion="movement", moved=[[-1.0, 1.0]])
    assert kept.tolist() == [[False, True]] * 3


def test_random_numbers():
    weights = {"a": np.ones(1000), "b": np.ones(1000)}
    long = {"x" * 70 + "/kernel": np.ones(1000), "y" + "x" * 70 + "/kernel": np.ones(1000)}

    def drawn(weights, seed, **context):
        contexts = {name: Context(**context) for name in weights}
        chosen = masks(weights, 0.5, criterion=Random(seed), contexts=contexts)
        return [tuple(kept) for kept in chosen.values()]

    assert drawn(weights, 0) == drawn(weights, 0)
    drafts = [*drawn(weights, 0), *drawn(weights, 1), *drawn(weights, 0, draw=1), *drawn(long, 0)]
    assert len(set(drafts)) == 8
    assert all(sum(kept) == 500 for kept in drafts)
    # Two independent halves share a quarter, give or take five standard deviations.
    assert abs(sum(a and b for a, b in zip(*drawn(weights, 0), strict=True)) - 250) < 80


@pytest.mark.parametrize("name", ["magnitude", "lamp", "random", "taylor", "snip", "wanda"])
@pytest.mark.parametrize("scope", ["layer", "global", "erk"])
@examples(15)
@given(seed=st.integers(0, 999))
def test_masks_lie_within_each_other_along_a_rising_schedule(name, scope, seed):
    shapes = {"a": (12, 10), "b": (3, 3, 2, 7), "c": (9, 1)}
    weights = {key: rng(seed).normal(size=shape) for key, shape in shapes.items()}
    known = {key: abs(rng(seed + 1).normal(size=shape)) for key, shape in shapes.items()}
    contexts = {
        key: Context(gradient=one, gradient_magnitude=one, input_norm=one)
        for key, one in known.items()
    }
    before = {key: np.ones(shape, bool) for key, shape in shapes.items()}
    for sparsity in (0.0, 0.1, 0.1, 0.35, 0.5, 0.8, 0.95):
        chosen = masks(weights, sparsity, scope=scope, criterion=name, contexts=contexts)
        for key, kept in chosen.items():
            assert not (kept & ~before[key]).any()
            weights[key] = weights[key] * kept
        before = chosen


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("bad", "said"), [(np.nan, "NaN"), (np.inf, "inf"), (-np.inf, "inf")])
def test_a_weight_that_is_not_finite_names_its_kernel(name, bad, said):
    weights = {"a/kernel": np.ones((2, 2)), "b/kernel": np.array([[1.0, bad], [2.0, bad]])}
    contexts = {key: Context(**KNOWN) for key in weights}
    with pytest.raises(ValueError, match=rf"b/kernel cannot .*: 2 of 4 weights are {said}"):
        masks(weights, 0.5, criterion=name, contexts=contexts)


@pytest.mark.parametrize(
    ("name", "need"),
    [
        ("taylor", "gradient_magnitude"),
        ("snip", "gradient"),
        ("movement", "moved"),
        ("wanda", "input_norm"),
    ],
)
def test_what_a_criterion_needs(name, need):
    weights = np.ones((2, 2))
    with pytest.raises(ValueError, match=rf"`criterion`.*needs `{need}` of 'a/kernel' and got non"):
        masks({"a/kernel": weights}, 0.5, criterion=name)
    with pytest.raises(ValueError, match=f"needs `{need}` of 'weights'"):
        mask(weights, 0.5, criterion=name, **{need: None})
    mask(weights, 0.5, criterion=name, **{need: KNOWN[need]})
    known = {"a/kernel": Context(**{need: np.array([[1.0, np.nan], [1.0, 1.0]])})}
    with pytest.raises(ValueError, match=r"a/kernel cannot be pruned: .*\) gives NaN for 1 of 4"):
        masks({"a/kernel": weights}, 0.5, criterion=name, contexts=known)
    for wrong in (np.ones((4, 1)), np.ones((1, 2, 2)), np.ones(3)):
        expected = rf"`{need}`. Expected an array that broadcasts to the shape \(2, 2\) of 'weights"
        with pytest.raises(ValueError, match=expected):
            mask(weights, 0.5, criterion=name, **{need: wrong})
    with pytest.raises(TypeError, match=f"`{need}`"):
        mask(weights, 0.5, criterion=name, **{need: "gradient"})


def test_context_that_is_not_known():
    with pytest.raises(ValueError, match="`context`. Expected arguments among .*'moved'"):
        mask(np.ones(2), 0.5, grad=np.ones(2))


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ("magnitud", ValueError, "Did you mean 'magnitude'"),
        (None, TypeError, "`criterion`. Expected a criterion, its name"),
        (Magnitude, TypeError, "`criterion`"),
        (3, TypeError, "`criterion`"),
    ],
)
def test_wrong_criteria(wrong, error, said):
    with pytest.raises(error, match=said):
        mask(np.ones(2), 0.5, criterion=wrong)


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (0.5, TypeError), (True, TypeError)])
def test_wrong_seeds(seed, error):
    with pytest.raises(error, match="`seed`"):
        Random(seed)


@pytest.mark.parametrize("criterion", [*map(get_criterion, NAMES), Random(3)], ids=repr)
def test_there_and_back(criterion):
    again = CRITERIA.deserialize(CRITERIA.serialize(criterion))
    assert again == type(criterion).from_config(criterion.get_config()) == criterion
    assert hash(again) == hash(criterion)
    assert again != Random(4)
