"""Side by side with tfmot, which runs in a process of its own.

Intended differences:
- among weights of equal magnitude tfmot keeps all at the border, kerasopt as many as were asked
  for;
- tfmot rounds the number kept in float32, kerasopt in float64: they may differ by one where it is
  half an integer but for the last digit;
- where blocks do not divide a kernel tfmot pools windows that lie half a block before the blocks
  that it then zeroes; kerasopt pools what it zeroes;
- tfmot's schedules may miss their last value, kerasopt's never do.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kerasopt.pruning import NM, Block, mask
from kerasopt.pruning.enforcement.mask_updates import Updates
from kerasopt.schedules import Constant, Foreign, PolynomialDecay
from tests.conftest import examples

pytestmark = pytest.mark.slow
CHILD = Path(__file__).parent / "tfmot_child.py"
FEW = examples(60)  # each takes tfmot some hundredths of a second


@pytest.fixture(scope="module")
def tfmot():
    pytest.importorskip("tf_keras", reason="tfmot is not installed")
    process = subprocess.Popen(
        [sys.executable, CHILD],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )

    def ask(what, **question):
        process.stdin.write(json.dumps({"what": what, **question}) + "\n")
        process.stdin.flush()
        answer = process.stdout.readline()
        assert answer, "tfmot's process has ended"
        return json.loads(answer)

    yield ask
    process.stdin.close()
    process.wait(timeout=600)


shapes = st.one_of(
    st.tuples(st.integers(1, 12), st.integers(1, 12)),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 5), st.integers(1, 5)),
)


def distinct(shape, seed):
    """Give weights of which no two have the same magnitude, exact in float32."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(shape))
    return ((rng.permutation(size) + 1) * rng.choice([-1, 1], size) / 64).reshape(shape)


def is_half(count):
    return abs(count % 1.0 - 0.5) < 1e-4


@FEW
@given(shape=shapes, sparsity=st.floats(0, 0.999), seed=st.integers(0, 999))
def test_single_weights(tfmot, shape, sparsity, seed):
    weights = distinct(shape, seed)
    assume(not is_half(weights.size * (1 - sparsity)))
    theirs = tfmot("mask", weights=weights.tolist(), sparsity=sparsity)
    np.testing.assert_array_equal(mask(weights, sparsity), theirs)


@FEW
@given(values=st.lists(st.integers(-3, 3), min_size=1, max_size=40), sparsity=st.floats(0, 0.999))
def test_ties(tfmot, values, sparsity):
    assume(not is_half(len(values) * (1 - sparsity)))
    mine = mask(np.array(values, float), sparsity)
    theirs = np.array(tfmot("mask", weights=[float(v) for v in values], sparsity=sparsity), bool)
    assert mine.sum() == max(round(len(values) * (1 - sparsity)), 1)
    assert not (mine & ~theirs).any()  # theirs keeps all that mine does, and the rest of a tie
    border = min(abs(v) for v, kept in zip(values, mine, strict=True) if kept)
    assert all(abs(values[i]) == border for i in np.flatnonzero(theirs & ~mine))


@FEW
@given(
    blocks=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    block=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    sparsity=st.floats(0, 0.999),
    pooling=st.sampled_from(["mean", "max"]),
    seed=st.integers(0, 999),
)
def test_blocks_that_divide_the_kernel(tfmot, blocks, block, sparsity, pooling, seed):
    shape = (blocks[0] * block[0], blocks[1] * block[1])
    # tfmot squeezes a kernel of one row or column, and its block no longer fits.
    assume(min(blocks) > 1 and min(shape) > 1)
    weights = distinct(shape, seed)
    pooled = Block(*block, pooling).units(np.abs(weights)).ravel()
    # Means that are equal but for rounding are ties.
    assume(np.diff(np.sort(pooled)).min(initial=1.0) > 1e-4)
    assume(not is_half(pooled.size * (1 - sparsity)))
    theirs = tfmot(
        "mask", weights=weights.tolist(), sparsity=sparsity, block=list(block),
        pooling={"mean": "AVG", "max": "MAX"}[pooling],
    )  # fmt: skip
    np.testing.assert_array_equal(mask(weights, sparsity, pattern=Block(*block, pooling)), theirs)


@FEW
@given(
    shape=shapes, group=st.sampled_from([(1, 2), (2, 4), (3, 4), (4, 8)]), seed=st.integers(0, 9)
)
def test_n_of_m(tfmot, shape, group, seed):
    n, m = group
    weights = distinct(shape, seed)
    pattern = NM(n, m)
    theirs = np.array(tfmot("mask", weights=weights.tolist(), sparsity=0.5, m_by_n=[m - n, m]))
    share = pattern.highest(weights.shape)
    assume(share < 1.0)
    mine = mask(weights, share, pattern=pattern)
    if len(shape) == 2 or shape[2] % m == 0:
        np.testing.assert_array_equal(mine, theirs)
    else:
        # Where groups do not divide the inputs, tfmot lets them run on in another order.
        assert mine.sum() <= theirs.sum()


@FEW
@given(
    initial=st.floats(0, 0.9), final=st.floats(0, 0.9), begin=st.integers(0, 50),
    length=st.integers(2, 60), power=st.sampled_from([1, 2, 3]), frequency=st.integers(1, 20),
)  # fmt: skip
def test_polynomial_decay(tfmot, initial, final, begin, length, power, frequency):
    end = begin + length
    steps = [*range(0, end + 10, 3), end]
    arguments = {
        "initial_sparsity": initial, "final_sparsity": final, "begin_step": begin,
        "end_step": end, "power": power, "frequency": frequency,
    }  # fmt: skip
    theirs = tfmot("values", schedule="PolynomialDecay", arguments=arguments, steps=steps)
    mine = PolynomialDecay(initial, final, begin, end, power)
    updates = Updates(begin, end, frequency)
    for step, (update, value) in zip(steps, theirs, strict=True):
        assert mine(step) == pytest.approx(value, abs=1e-5)
        assert updates.due(step - 1, step) == (update or step == end)


@FEW
@given(begin=st.integers(0, 50), length=st.integers(1, 60), frequency=st.integers(1, 20))
def test_constant(tfmot, begin, length, frequency):
    for end in (begin + length, -1):
        arguments = {
            "target_sparsity": 0.5, "begin_step": begin, "end_step": end, "frequency": frequency
        }  # fmt: skip
        steps = list(range(begin + length + 10))
        theirs = tfmot("values", schedule="ConstantSparsity", arguments=arguments, steps=steps)
        assert all(
            value == Constant(0.5)(step) for step, (_, value) in zip(steps, theirs, strict=True)
        )
        updates = Updates(begin, None if end < 0 else end, frequency)
        for step, (update, _) in zip(steps, theirs, strict=True):
            assert updates.due(step - 1, step) == (update or step == end)


def test_the_facts(tfmot):
    """Behaviour that its users rely on, as tfmot really gives it and as kerasopt does."""
    decay = {"initial_sparsity": 0.2, "final_sparsity": 0.8, "begin_step": 100, "end_step": 110}
    found = tfmot("values", schedule="PolynomialDecay", arguments={**decay, "frequency": 2},
                  steps=[100, 102, 105, 110])  # fmt: skip
    assert [value for _, value in found] == pytest.approx([0.2, 0.4928, 0.725, 0.8], abs=1e-6)
    weights = np.arange(1.0, 11.0)
    for share, count in ((0.2, 8), (0.5, 5), (0.9999, 1)):
        assert sum(tfmot("mask", weights=weights.tolist(), sparsity=share)) == count
        assert mask(weights, share).sum() == count
    ties = tfmot("mask", weights=[1.0] * 4, sparsity=0.5)
    assert (sum(ties), mask(np.ones(4), 0.5).sum()) == (4, 2)
    two_of_four = [[0.74, 0.68], [-0.89, -0.45], [-1.68, 1.24], [0.31, -0.6]]
    expected = [[0, 1], [1, 0], [1, 1], [0, 0]]
    assert tfmot("mask", weights=two_of_four, sparsity=0.5, m_by_n=[2, 4]) == expected
    np.testing.assert_array_equal(mask(two_of_four, 0.5, pattern="2:4"), expected)
    rows = [[0.1, 0.1, 0.2, 0.2]] * 2 + [[0.3, 0.3, 0.4, 0.4]] * 2
    expected = [[0] * 4] * 2 + [[1] * 4] * 2
    assert tfmot("mask", weights=rows, sparsity=0.5, block=[2, 2]) == expected
    np.testing.assert_array_equal(mask(rows, 0.5, pattern="block_2x2"), expected)
    assert Foreign(lambda step: (True, 0.5))(3) == 0.5
