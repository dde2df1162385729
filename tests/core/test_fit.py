"""What is held on a variable for a time, over what the user set there."""

import keras
import pytest

from kerasopt._core.fit_state import Temporary, own, set_own, take_off


class Held(Temporary):
    def __init__(self, inner):
        self.inner = inner

    def __call__(self, x):
        return x


@pytest.fixture
def variable():
    return keras.Variable(1.0)


@pytest.mark.parametrize("what", ["constraint", "regularizer"])
def test_the_users_own_lies_below(variable, what):
    assert own(variable, what) is None
    mine = keras.constraints.NonNeg() if what == "constraint" else keras.regularizers.L2(1.0)
    set_own(variable, what, mine)
    assert getattr(variable, what) is own(variable, what) is mine
    top = Held(Held(mine))
    setattr(variable, what, top)
    assert own(variable, what) is mine
    set_own(variable, what, None)
    assert getattr(variable, what) is top
    assert own(variable, what) is None


@pytest.mark.parametrize("order", ["abc", "acb", "bac", "bca", "cab", "cba"])
def test_each_goes_by_itself_in_any_order(variable, order):
    mine = keras.constraints.NonNeg()
    held = {"a": Held(mine)}
    held["b"] = Held(held["a"])
    held["c"] = Held(held["b"])
    variable.constraint = held["c"]
    left = ["c", "b", "a"]
    for name in order:
        assert take_off(variable, "constraint", lambda one, name=name: one is held[name])
        left.remove(name)
        found, thing = [], variable.constraint
        while isinstance(thing, Held):
            found.append(thing)
            thing = thing.inner
        assert found == [held[name] for name in left]
        assert thing is mine
    assert not take_off(variable, "constraint", lambda one: True)
    assert variable.constraint is mine
