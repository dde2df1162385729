"""Kernels by name for the tests of scopes."""

import numpy as np
from hypothesis import strategies as st

SHAPES = st.lists(
    st.sampled_from([(), (1,), (5,), (1, 1), (4, 6), (7, 3), (3, 3, 2, 5), (20, 11), (0, 3)]),
    min_size=1,
    max_size=6,
)
SPARSITIES = st.floats(0, 0.9999)


def kernels(shapes, seed=0, levels=None):
    """Give kernels by name; with few levels many weights are equal."""
    rng = np.random.default_rng(seed)
    drawn = [rng.normal(size=shape) if levels is None else rng.integers(1, levels + 1, shape)
             for shape in shapes]  # fmt: skip
    return {f"l{number}/kernel": np.asarray(one, float) for number, one in enumerate(drawn)}


def total(arrays):
    return sum(int(np.sum(one)) for one in arrays.values())


def size(weights):
    return sum(one.size for one in weights.values())
