"""Patterns, against loops over groups, blocks and channels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from kerasopt.pruning import NM, Block, Channel, Weight, mask, masks
from kerasopt.pruning.patterns import get as get_pattern
from kerasopt.pruning.patterns.registry import PATTERNS
from kerasopt.pruning.scopes.scope import number_kept

ALL = [Weight(), Channel(), Channel(-2), Channel(0), NM(2, 4), Block(2, 3), Block(2, 3, "max")]
# Few values, so that many are equal.
KERNELS = arrays(np.float32, array_shapes(max_dims=4, max_side=7), elements=st.integers(-3, 3))
SPARSITIES = st.floats(0, 0.9999)


def matrix_of(array):
    return array.reshape(-1, array.shape[-1]) if array.ndim > 1 else array.reshape(-1, 1)


def best_of_groups(weights, n, m):
    """Keep the first `n` of each group of rows sorted by falling magnitude."""
    sizes = abs(matrix_of(weights))
    kept = np.zeros(sizes.shape, bool)
    for column in range(sizes.shape[1]):
        for start in range(0, len(sizes), m):
            rows = range(start, min(start + m, len(sizes)))
            kept[sorted(rows, key=lambda row: -sizes[row, column])[:n], column] = True
    return kept.reshape(weights.shape)


@given(KERNELS, st.integers(1, 5), st.integers(1, 20))
def test_at_one_minus_n_by_m_each_group_keeps_its_n_best(weights, n, more):
    m = n + more  # beyond 16 they are sorted
    assert np.array_equal(mask(weights, 1 - n / m, pattern=NM(n, m)), best_of_groups(weights, n, m))


@given(KERNELS, st.integers(1, 3), st.integers(1, 3), st.floats(0, 1))
def test_below_it_the_worst_of_those_that_may_go_are_gone(weights, n, more, way):
    m, sparsity = n + more, way * (1 - n / (n + more))
    kept, must = mask(weights, sparsity, pattern=NM(n, m)), best_of_groups(weights, n, m)
    assert kept[must].all()
    assert kept.sum() == max(number_kept(weights.size, sparsity), must.sum())
    free = np.where(must, -1.0, abs(weights))
    order = np.argsort(-free.ravel(), kind="stable")[: kept.sum() - must.sum()]
    assert set(np.flatnonzero(kept & ~must)) == set(order)


def test_two_of_four_is_that_of_tfmot():
    weights = [[0.74, 0.68], [-0.89, -0.45], [-1.68, 1.24], [0.31, -0.6]]
    assert mask(weights, 0.5, pattern="2:4").tolist() == [[0, 1], [1, 0], [1, 1], [0, 0]]


def test_a_kernel_on_three_colours_ends_a_little_denser():
    # 27 rows: six groups of four keep two each, and so do the three that are left.
    weights = np.random.default_rng(0).normal(size=(3, 3, 3, 8))
    assert mask(weights, 0.5, pattern="2:4").sum() == 14 * 8
    assert mask(weights, 0.3, pattern="2:4").sum() == round(27 * 8 * 0.7)


@pytest.mark.parametrize(
    ("pattern", "sparsity", "said"),
    [("2:4", 0.9, "0.5"), ("2:4", 0.51, "0.5"), ("1:3", 0.67, "0.6667"), ("4:5", 0.3, "0.2")],
)
def test_more_than_n_of_m_can_express(pattern, sparsity, said):
    expected = rf"`sparsity`. Expected at most {said}, .* 'weights'. Received: sparsity={sparsity}"
    for weights in (np.ones((60, 4)), np.ones((2, 1)), 1.0):
        with pytest.raises(ValueError, match=expected):
            mask(weights, sparsity, pattern=pattern)


def test_what_that_error_says_is_accepted():
    assert mask(np.arange(300.0), 0.6667, pattern="1:3").sum() == 100


@given(KERNELS, st.integers(1, 8), st.integers(1, 8), st.sampled_from(["mean", "max"]), SPARSITIES)
def test_blocks(weights, h, w, pooling, sparsity):
    sizes = abs(matrix_of(weights)).astype(float)
    rows, columns = range(0, sizes.shape[0], h), range(0, sizes.shape[1], w)
    pooled = [getattr(np, pooling)(sizes[r : r + h, c : c + w]) for r in rows for c in columns]
    best = np.argsort(-np.array(pooled), kind="stable")[: number_kept(len(pooled), sparsity)]
    expected = np.zeros(sizes.shape, bool)
    for number in best:
        r, c = number // len(columns) * h, number % len(columns) * w
        expected[r : r + h, c : c + w] = True
    kept = mask(weights, sparsity, pattern=Block(h, w, pooling))
    assert np.array_equal(matrix_of(kept), expected)


def test_blocks_are_those_of_tfmot():
    weights = [[0.1, 0.1, 0.2, 0.2]] * 2 + [[0.3, 0.3, 0.4, 0.4]] * 2
    assert mask(weights, 0.5, pattern="block_2x2").tolist() == [[0] * 4] * 2 + [[1] * 4] * 2


def test_at_an_edge_the_mean_is_of_the_weights_that_are_there():
    # 2 x 2 blocks on 3 x 3: as a mean with padding the corner would be 0.75 and go first.
    weights = np.array([[1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [2.0, 2.0, 3.0]])
    assert Block(2, 2).units(weights).tolist() == [[1, 2], [2, 3]]
    assert mask(weights, 0.75, pattern="block_2x2").tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]


@given(KERNELS, st.integers(-4, 3), SPARSITIES)
def test_channels_on_every_axis(weights, axis, sparsity):
    if not -weights.ndim <= axis < weights.ndim:
        with pytest.raises(ValueError, match=f"`axis`. Expected an axis of the kernel.*={axis}"):
            mask(weights, sparsity, pattern=Channel(axis))
        return
    channels = np.moveaxis(weights, axis, 0).reshape(weights.shape[axis], -1)
    # Sums of small integers are exact, and means of equal numbers of them compare alike.
    order = np.argsort(-abs(channels).sum(axis=1), kind="stable")
    alive = np.zeros(len(channels), bool)
    alive[order[: number_kept(len(channels), sparsity)]] = True
    kept = np.moveaxis(mask(weights, sparsity, pattern=Channel(axis)), axis, 0)
    assert all((channel == lives).all() for channel, lives in zip(kept, alive, strict=True))


@pytest.mark.parametrize("pattern", ALL, ids=repr)
@pytest.mark.parametrize("shape", [(0, 4), (4, 0), (2, 0, 3), (0, 0)])
@pytest.mark.filterwarnings("error")
def test_empty_kernels(pattern, shape):
    for scope in ("layer", "global", "erk"):
        kept = masks({"a": np.zeros(shape)}, 0.5, scope=scope, pattern=pattern)["a"]
        assert (kept.shape, kept.dtype) == (shape, bool)


@pytest.mark.parametrize("pattern", ["weight", "2:4", "block_2x2"])
def test_scalars_and_kernels_of_one_weight(pattern):
    for weights in (3.0, np.float32(0), [1.0], [[1.0]], np.ones((1, 1, 1, 1))):
        kept = mask(weights, 0.5, pattern=pattern)
        assert kept.all()
        assert kept.shape == np.shape(weights)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("weight", Weight()),
        ("Weights", Weight()),
        (" channel ", Channel()),
        ("2:4", NM(2, 4)),
        ("16:32", NM(16, 32)),
        ("block_4x1", Block(4, 1)),
        ("block 2x8", Block(2, 8)),
        (Block(1, 2, "max"), Block(1, 2, "max")),
    ],
)
def test_names(pattern, expected):
    assert get_pattern(pattern) == expected


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        (lambda: get_pattern("wieght"), ValueError, "Did you mean 'weight'"),
        (lambda: get_pattern("2:4:8"), ValueError, "`pattern`"),
        (lambda: get_pattern("4:2"), ValueError, "`n`. Expected an integer below m=2"),
        (lambda: get_pattern("0:4"), ValueError, "`n`. Expected an integer >= 1"),
        (lambda: get_pattern("block_0x4"), ValueError, "`h`. Expected an integer >= 1"),
        (lambda: get_pattern(Weight), TypeError, "`pattern`. Expected a pattern, or a name"),
        (lambda: get_pattern(None), TypeError, "`pattern`"),
        (lambda: NM(2.0, 4), TypeError, "`n`"),
        (lambda: NM(4, 4), ValueError, "`n`"),
        (lambda: Block(2, True), TypeError, "`w`"),
        (lambda: Block(2, 2, "AVG"), ValueError, "`pooling`. Expected one of"),
        (lambda: Channel(1.0), TypeError, "`axis`. Expected an integer"),
    ],
)
def test_wrong_patterns(wrong, error, said):
    with pytest.raises(error, match=said):
        wrong()


@pytest.mark.parametrize("pattern", ALL, ids=repr)
def test_there_and_back(pattern):
    again = PATTERNS.deserialize(PATTERNS.serialize(pattern))
    assert again == type(pattern).from_config(pattern.get_config()) == pattern
    assert hash(again) == hash(pattern)
    assert [other for other in ALL if other == pattern] == [pattern]


def test_what_tells_that_a_kernel_is_not_divided():
    assert [NM(2, 4).padded(shape) for shape in [(8, 3), (3, 3, 3, 8), (4,)]] == [
        False,
        True,
        False,
    ]
    assert [Block(2, 4).padded(s) for s in [(2, 4), (2, 5), (3, 4)]] == [False, True, True]
    assert not Weight().padded((7,))
