"""The scope ERK, against its authors' code and its own promises."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.pruning import masks
from kerasopt.pruning.scopes import erk_densities
from kerasopt.pruning.scopes.scope import number_kept
from tests.conftest import examples
from tests.pruning.kernels import SHAPES, SPARSITIES, kernels, size, total


def rigl_densities(shapes, sparsity):
    """Give the densities as `get_mask_random` of the RigL authors' code does, in its own terms."""
    dense = set()
    while True:
        divisor = rhs = 0.0
        raw = {}
        for number, shape in enumerate(shapes):
            n_param = float(np.prod(shape))
            n_zeros = int(n_param * sparsity)
            if number in dense:
                rhs -= n_zeros
            else:
                rhs += n_param - n_zeros
                raw[number] = np.sum(shape) / np.prod(shape)
                divisor += raw[number] * n_param
        eps = rhs / divisor
        if max(raw.values()) * eps <= 1:
            return [1.0 if number in dense else eps * raw[number] for number in range(len(shapes))]
        largest = max(raw.values())
        dense |= {number for number, value in raw.items() if value == largest}


@pytest.mark.parametrize("sparsity", [0.5, 0.8, 0.9, 0.95])
def test_erk_is_that_of_its_authors(sparsity):
    shapes = [(3, 3, 3, 64), (3, 3, 64, 128), (3, 3, 128, 256), (256, 100), (100, 10)]
    expected = rigl_densities(shapes, sparsity)
    assert (expected[0] == 1.0) == (sparsity < 0.95)
    # They truncate the number of zeros of each layer to an integer.
    np.testing.assert_allclose(erk_densities(shapes, 1 - sparsity), expected, atol=1e-4)
    kept = masks(kernels(shapes), sparsity, scope="erk")
    for one, density in zip(kept.values(), erk_densities(shapes, 1 - sparsity), strict=True):
        assert abs(one.sum() - density * one.size) <= 1


@given(SHAPES, SPARSITIES)
def test_erk_is_exact_in_all(shapes, sparsity):
    weights = kernels(shapes)
    kept = masks(weights, sparsity, scope="erk")
    filled = sum(one.size > 0 for one in weights.values())
    assert total(kept) == max(number_kept(size(weights), sparsity), filled)
    assert all(kept[name].any() for name, one in weights.items() if one.size)


@given(SHAPES, st.floats(0, 0.5))
def test_erk_with_groups_is_exact_too(shapes, sparsity):
    weights = kernels(shapes)
    kept, least = (
        masks(weights, share, pattern="2:4", scope=scope)
        for share, scope in ((sparsity, "erk"), (0.5, "layer"))
    )
    assert total(kept) == max(number_kept(size(weights), sparsity), total(least))


@given(
    st.lists(st.sampled_from([(4, 6), (2, 2), (3, 3, 2, 8), (20, 10)]), min_size=1, max_size=4),
    st.floats(0, 0.9),
    st.sampled_from(["channel", "block_2x2"]),
)
def test_erk_with_units_is_as_close_as_one_of_them(shapes, sparsity, pattern):
    weights = kernels(shapes)
    found = masks(weights, sparsity, scope="erk", pattern=pattern)
    unit = max(4 if pattern == "block_2x2" else np.prod(shape[:-1]) for shape in shapes)
    least = sum(4 if pattern == "block_2x2" else np.prod(shape[:-1]) for shape in shapes)
    wanted = max(number_kept(size(weights), sparsity), least)
    assert abs(total(found) - wanted) <= unit / 2 or total(found) == least


@examples(40)
@given(SHAPES, st.sampled_from(["weight", "channel", "block_2x2", "2:4"]), st.integers(0, 99))
def test_erk_only_takes_along_a_rising_schedule(shapes, pattern, seed):
    weights = {name: one for name, one in kernels(shapes, seed).items() if one.ndim}
    counts = [
        [kept.sum() for kept in masks(weights, sparsity, scope="erk", pattern=pattern).values()]
        for sparsity in np.linspace(0, 0.5 if pattern == "2:4" else 0.99, 40)
    ]
    assert (np.diff(counts, axis=0) <= 0).all()


@given(SHAPES, st.floats(0.0001, 1))
def test_erk_densities_sum_up_and_keep_to_their_bounds(shapes, density):
    sizes = np.array([np.prod(shape) for shape in shapes])
    found = erk_densities(shapes, density)
    assert ((found >= 0) & (found <= 1 + 1e-12)).all()
    assert found @ sizes == pytest.approx(density * sizes.sum(), rel=1e-9)
    bounded = erk_densities(shapes, density, 0.4)
    assert (bounded >= 0.4).all()
    assert bounded @ sizes == pytest.approx(max(density, 0.4) * sizes.sum(), rel=1e-9)
