"""Channels that are tied, beside sets that are joined one by one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.dependency.union_find import Atoms

COUNT = 12
pairs = st.lists(st.tuples(st.integers(0, COUNT - 1), st.integers(0, COUNT - 1)), max_size=20)


@given(pairs, st.sets(st.integers(0, COUNT - 1), max_size=3))
def test_tied_as_sets_are_joined(ties, frozen):
    atoms = Atoms()
    made = atoms.new(COUNT)
    sets = [{number} for number in range(COUNT)]
    for one, other in ties:
        atoms.tie(made[[one]], made[[other]])
        joined = sets[one] | sets[other]
        for member in joined:
            sets[member] = joined
    for number in frozen:
        atoms.freeze(made[[number]], f"reason {number}")
    roots = atoms.roots(made)
    for one in range(COUNT):
        for other in range(COUNT):
            assert (roots[one] == roots[other]) == (other in sets[one])
        assert (atoms.reason(one) is None) == (not sets[one] & frozen)


@given(pairs, pairs)
def test_what_was_frozen_stays_so_when_it_is_tied_later(before, after):
    atoms = Atoms()
    made = atoms.new(COUNT)
    atoms.freeze(made[:1], "first")
    for one, other in [*before, *after]:
        atoms.tie(made[[one]], made[[other]])
    assert atoms.reason(0) == "first"
    assert set(atoms.roots(atoms.frozen)) == {atoms.roots(made)[0]}


def test_rows_are_tied_place_by_place():
    atoms = Atoms()
    some, others = atoms.new(3), atoms.new(3)
    atoms.tie(some, others[::-1])
    assert np.array_equal(atoms.roots(others), some[::-1])
    with pytest.raises(ValueError, match="3 channels cannot be tied to 2"):
        atoms.tie(some, others[:2])


def test_the_first_reason_stays_unless_another_is_said_rather():
    atoms = Atoms()
    made = atoms.new(1)
    atoms.freeze(made, "one")
    atoms.freeze(made, "two")
    assert atoms.reason(0) == "one"
    atoms.freeze(made, "three", rather=True)
    assert atoms.reason(0) == "three"
