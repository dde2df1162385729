"""What tests of shrinking share: the smaller model beside the masked one."""

import zlib

import keras
import numpy as np

from kerasopt.structured import shrink_plan
from kerasopt.structured.budget.candidates import candidates
from tests.graph import models
from tests.graph.rewriting import shaken


def chance(group):
    """Score channels by chance, the same whatever the weights are."""
    seed = zlib.crc32(group.name.encode())
    return np.random.default_rng(seed).uniform(0.5, 1.5, len(group))


def plan_of(model, ratio=0.5, **how):
    return shrink_plan(
        model, pruning_ratio=ratio, **{"importance": chance, "scope": "layer", "round_to": 1, **how}
    )


def assert_exact(model, ratio=0.5, inputs=None, **how):
    """Shrink, and compare with the model in which nothing takes what is gone.

    Then fill what made the channels that are gone with other numbers: nothing may change.

    Returns:
        The plan and the smaller model.
    """
    shaken(model)
    inputs = models.batch(model) if inputs is None else inputs
    plan = plan_of(model, ratio, **how)
    small = plan.apply()
    assert any(one.after < one.before for one in plan.groups)
    assert small.count_params() == plan.after.parameters < plan.before.parameters
    assert [one.shape for one in small.outputs] == [one.shape for one in model.outputs]
    found = models.results(small, inputs)
    assert_close(models.results(plan.masked(), inputs), found)
    before = {one.path: np.array(keras.ops.convert_to_numpy(one)) for one in model.variables}
    fill(model, plan)
    again = plan_of(model, ratio, **how)
    assert [one.removed for one in again.groups] == [one.removed for one in plan.groups]
    assert_close(models.results(again.masked(), inputs), found)
    assert_close(models.results(again.apply(), inputs), found)
    for variable in model.variables:
        variable.assign(before[variable.path])
    return plan, small


def assert_close(some, others):
    for one, other in zip(some, others, strict=True):
        scale = max(1.0, float(np.abs(one).max()))
        # Sums of fewer numbers are rounded differently: 1e-5 of the largest output.
        np.testing.assert_allclose(one, other, rtol=0.0, atol=1e-5 * scale)


def fill(model, plan):
    """Put other numbers into all that makes the channels that go."""
    rng = np.random.default_rng(1)
    for group, there in zip(candidates(model).groups, plan.groups, strict=True):
        for stand in group.stands:
            if stand.place.role != "makes":
                continue
            variable = stand.place.variable
            value = np.array(keras.ops.convert_to_numpy(variable))
            turned = np.moveaxis(value, stand.place.axis, 0)
            at = stand.at[list(there.removed)].reshape(-1)
            turned[at] = rng.normal(size=turned[at].shape)
            variable.assign(value)


def widths(model, name):
    """Give the shape of the first weight of a layer, at any depth."""
    from kerasopt.selection import walk

    layer = next(layer for _, layer in walk(model) if layer.name == name)
    return tuple(layer.weights[0].shape)
