"""Random configurations of a space, drawn as a tuner draws them."""

import random

import keras_tuner


def every_scope(space, **arguments):
    """Give the hyperparameters of a space with all of its conditional scopes registered."""
    hp = keras_tuner.HyperParameters()
    space(hp, **arguments)
    return hp


def samples(space, count=60, **arguments):
    """Give (values, what the space gave) of `count` random configurations."""
    whole = every_scope(space, **arguments)
    state = random.Random(3)
    found = []
    for _ in range(count):
        hp = whole.copy()
        hp.values = {}
        for one in hp.space:
            if hp.is_active(one):
                hp.values[one.name] = one.prob_to_value(state.random())
        given = dict(hp.values)
        result = space(hp, **arguments)
        assert hp.values == given, "the space takes the values that were drawn, and adds none"
        found.append((given, result))
    return found


def again(space, values, **arguments):
    """Give what a space gives for values that were drawn before."""
    hp = every_scope(space, **arguments).copy()
    hp.values = dict(values)
    return space(hp, **arguments)
