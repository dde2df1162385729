"""The four spaces, and values of their hyperparameters."""

import keras_tuner

from kerasopt.tuning.hypermodels import HyperCNN, HyperMLP, HyperRNN, HyperSequenceCNN

SHAPES = {HyperMLP: (12,), HyperCNN: (16, 16, 3), HyperRNN: (12, 3), HyperSequenceCNN: (20, 3)}


def build(space, **values):
    """Build with these values, and the default ones for all else."""
    hp = keras_tuner.HyperParameters()
    hp.values.update(values)
    return space.build(hp)


def declared(space):
    """Give all hyperparameters of a space by name."""
    hp = keras_tuner.HyperParameters()
    space.build(hp)
    return {one.name: one for one in hp.space}


def sampled(space, seed):
    """Give random values of a space, its conditions kept."""
    hp = keras_tuner.HyperParameters()
    space.build(hp)
    for number, one in enumerate(hp.space):
        if hp.is_active(one):
            hp.values[one.name] = one.random_sample(seed * 100 + number)
        else:
            hp.values.pop(one.name, None)
    return hp
