"""What tests of rewriting share: edits in many places at once, and weights that are compared."""

import re

import keras
import numpy as np
from keras import layers

from kerasopt.graph import Graph
from kerasopt.graph.node import ports
from kerasopt.selection import own_variables, walk
from tests.graph import models


def shaken(model, seed=0):
    """Give the model with weights near its own, moving averages too, so that a deep one works."""
    rng = np.random.default_rng(seed)
    for variable in model.weights:
        if "float" in variable.dtype:
            value = keras.ops.convert_to_numpy(variable)
            if value.ndim < 2:  # a bias or an average, often all zeros or ones
                value = value + rng.uniform(0.0, 0.1, value.shape)
            variable.assign(value * rng.uniform(0.9, 1.1, value.shape))
    return model


def calibrated(model, inputs):
    """Give the model with the averages of these inputs, so that a deep one lets them through."""
    norms = [one for one in model.layers if isinstance(one, layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    model(inputs, training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return model


def insert_dropouts(model, wanted):
    """Build the model with a Dropout behind each node that is `wanted` and gives no output.

    Returns:
        The new model and the paths of what was inserted.
    """
    graph = Graph.of(model)
    paths = []
    for node in graph.nodes:
        for port in node.outputs:
            if "float" not in port.dtype or not wanted(node) or graph.is_output(node):
                continue
            if not is_used(port):
                continue
            drop = layers.Dropout(0.5, dtype=port.dtype, name=graph.unique_name("inserted"))
            paths.append(graph.insert_after(node, drop, output=port.index).path)
    return graph.build(copied=True), paths


def is_used(port):
    level = port.node.level
    return bool(level.consumers(port)) or any(port is one for one in ports(level.outputs))


def removed(model, paths):
    """Build the model without the calls at these paths."""
    graph = Graph.of(model)
    for path in paths:
        graph.remove(graph.find(path))
    return graph.build(copied=True)


def replace_by_equals(model, kinds):
    """Build the model with every layer of these classes replaced by an equal one.

    Returns:
        The new model and the layers that were put in.
    """
    graph = Graph.of(model)
    put_in = {}
    for node in graph.nodes:
        if isinstance(node.layer, kinds) and id(node.layer) not in put_in:
            layer = type(node.layer).from_config(node.layer.get_config())
            put_in[id(node.layer)] = layer
            graph.replace(node, layer)
    return graph.build(), list(put_in.values())


def assert_same_weights(old, new):
    """Check the values layer by layer: behind an insertion, parallel branches change places."""
    assert len(new.weights) == len(old.weights)
    its = weights_by_place(new)
    for place, mine in weights_by_place(old).items():
        for one, other in zip(mine, its[place], strict=True):
            np.testing.assert_array_equal(one, other, err_msg=place)


def weights_by_place(model):
    # What a composite layer makes inside itself gets the next free name each time.
    places = {}
    for path, layer in walk(model):
        place = re.sub(r"_\d+(?=/|$)", "", path)
        places.setdefault(place, []).extend(own_variables(layer))
    return places


def assert_same_results(before, model, inputs, atol=1e-5):
    for mine, its in zip(before, models.results(model, inputs), strict=True):
        np.testing.assert_allclose(mine, its, rtol=1e-4, atol=atol)


def saved_and_loaded(model, folder, **kwargs):
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras", **kwargs)
