import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.export.data.samples import Samples, length, random_samples, spread
from kerasopt.export.model.signature import Input

TWO = (Input("zebra", "zebra", (None, 4), "float32"), Input("ant", "ant", (None, 2), "int32"))


@given(st.integers(0, 3000), st.integers(1, 300))
def test_spread(count, most):
    chosen = spread(count, most)
    assert len(chosen) == min(count, most)
    assert len(set(chosen)) == len(chosen)
    assert list(chosen) == sorted(chosen)
    if most > 1 and count > 1:
        assert chosen[0] == 0
        assert chosen[-1] == count - 1


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 12), st.integers(1, 6))
def test_batches_and_thinning(lengths, size, most):
    rows = np.arange(sum(lengths), dtype="float32")[:, None]
    parts = np.split(rows, np.cumsum(lengths)[:-1])
    samples = Samples("x", tuple({"x": part} for part in parts))
    assert len(samples) == len(rows)
    assert np.array_equal(np.concatenate([b["x"] for b in samples.in_batches(size)]), rows)
    assert {length(b) for b in samples.in_batches(size, exact=True)} == {size}
    thin = samples.thinned(most)
    expected = rows if len(rows) <= most else rows[spread(len(rows), most)]
    assert np.array_equal(np.concatenate([b["x"] for b in thin.batches]), expected)


def test_random_samples_are_in_range_and_repeat():
    samples = random_samples(TWO)
    batch = samples.batches[0]
    assert set(np.unique(batch["ant"])) <= {0, 1}
    assert batch["zebra"].min() >= 0
    assert batch["zebra"].max() < 1
    assert np.array_equal(batch["zebra"], random_samples(TWO).batches[0]["zebra"])
