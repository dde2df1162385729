"""Inserting, removing and replacing layers."""

import keras
import numpy as np
import pytest
from keras import layers

from kerasopt.graph import Graph
from tests.graph import models


def test_paths_walk_into_nested_models():
    paths = [node.path for node in Graph.of(models.nested()).nodes]
    assert paths[:3] == ["x", "inner", "inner/deepest_in"]
    assert {"inner/inner_dense", "inner/deepest/d1", "outer_dense", "top"} <= set(paths)


def test_a_shared_layer_has_one_node_a_call_and_a_shared_model_one_inside():
    graph = Graph.of(models.shared())
    assert len(graph.calls_of(graph.model.get_layer("tower"))) == 2
    paths = [node.path for node in Graph.of(models.shared_model()).nodes]
    assert paths.count("tower") == 2
    assert paths.count("tower/t1") == 1


def test_nodes_know_their_tensors():
    graph = Graph.of(models.skips())
    node = graph.find("add")
    assert [port.node.path for port in node.inputs] == ["relu_a", "conv_b"]
    assert node.outputs[0].shape == (None, 8, 8, 4)
    assert [one.path for one in graph.consumers(graph.find("relu_a"))] == ["conv_b", "add"]
    assert graph.is_output(graph.find("top"))
    assert not graph.is_output(graph.find("hidden"))


def test_followers_look_into_and_out_of_nested_models():
    graph = Graph.of(models.nested())
    assert [one.path for one in graph.followers(graph.find("x"))] == ["inner/inner_dense"]
    last = graph.find("inner/deepest").inner.nodes[-1]
    assert [one.path for one in graph.followers(last)] == ["outer_dense"]


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (models.sequential, "first"),
        (models.skips, "relu_a"),
        (models.with_step, "hidden"),
        (models.nested, "inner/deepest/d1"),
        (models.functional_in_sequential, "block/dense"),
        (models.shared, "tower"),
        (models.shared_model, "tower/t1"),
        (models.two_in_two_out, "trunk"),
        (models.operations, "hidden"),
        (models.lambdas, "scaled"),
        (models.masked, "embed"),
        (models.masked, "both_ways"),
        (models.masked, "lstm"),
        (models.attention, "attend"),
        (models.mixed, "half"),
    ],
)
def test_insertion_reaches_every_kind_of_model(make, path):
    old = models.scrambled(make())
    inputs = models.batch(old)
    before = models.results(old, inputs)
    count, nodes = len(old.layers), len(Graph.of(old).nodes)
    graph = Graph.of(old)
    inserted = graph.insert_after(graph.find(path), layers.Rescaling(1.0, name="as_it_was"))
    assert inserted.path == f"{path.rpartition('/')[0]}/as_it_was".lstrip("/")
    new = graph.build()
    assert type(new) is type(old)
    assert len(Graph.of(new).nodes) == nodes + 1
    assert Graph.of(new).find(inserted.path).inputs[0].node.path == path
    for one, other in zip(before, models.results(new, inputs), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert (len(old.layers), len(Graph.of(old).nodes)) == (count, nodes)


def test_an_inserted_layer_computes():
    old = models.scrambled(models.sequential())
    graph = Graph.of(old)
    graph.insert_after(graph.find("given"), layers.Rescaling(3.0, name="thrice"))
    inputs = models.batch(old)
    np.testing.assert_allclose(
        models.results(graph.build(), inputs)[0], models.results(old, 3.0 * inputs)[0], rtol=1e-5
    )


def test_one_call_of_a_shared_layer():
    graph = Graph.of(models.scrambled(models.shared()))
    first, _ = graph.calls_of(graph.model.get_layer("tower"))
    graph.insert_after(first, layers.Rescaling(0.0, name="nothing"))
    new = graph.build()
    inputs = models.batch(new)
    changed = [inputs[0] + 1.0, inputs[1]]
    one, other = (models.results(new, x)[0] for x in (inputs, changed))
    np.testing.assert_array_equal(one, other)


def test_one_layer_inserted_in_two_places_is_shared():
    graph = Graph.of(models.shared())
    layer = layers.Dense(5, name="more")
    for node in graph.calls_of(graph.model.get_layer("tower")):
        graph.insert_after(node, layer)
    assert len(graph.build().weights) == 6


def test_removal_undoes_insertion():
    old = models.scrambled(models.nested())
    graph = Graph.of(old)
    graph.insert_after(graph.find("inner/deepest/d1"), layers.Dropout(0.5, name="drop"))
    graph = Graph.of(graph.build())
    graph.remove(graph.find("inner/deepest/drop"))
    assert graph.build().get_config() == old.get_config()


@pytest.mark.parametrize("path", ["top", "x", "add"])
def test_what_cannot_be_removed(path):
    graph = Graph.of(models.attention())
    with pytest.raises(ValueError, match=path):
        graph.remove(graph.find(path))


def test_what_changes_the_shape_cannot_be_removed():
    graph = Graph.of(models.sequential())
    with pytest.raises(ValueError, match="one of the same shape out"):
        graph.remove(graph.find("first"))


def test_replacing_takes_the_weights():
    old = models.scrambled(models.nested())
    graph = Graph.of(old)
    node = graph.find("inner/deepest/d1")
    graph.replace(node, layers.Dense(4, activation="tanh", name="d1"))
    new = graph.build()
    assert [w.name for w in new.weights] == [w.name for w in old.weights]
    for mine, its in zip(old.weights, new.weights, strict=True):
        np.testing.assert_array_equal(mine, its)


def test_replacing_by_another_shape_needs_a_transfer():
    old = models.scrambled(models.sequential())
    graph = Graph.of(old)
    graph.replace(graph.find("last"), layers.Dense(2, name="last"))
    with pytest.raises(ValueError, match="`transfer`"):
        graph.build()

    def first_two(mine, its):
        its.set_weights([np.asarray(w)[..., :2] for w in mine.get_weights()])

    graph = Graph.of(old)
    graph.replace(graph.find("last"), layers.Dense(2, name="last"), transfer=first_two)
    inputs = models.batch(old)
    np.testing.assert_allclose(
        models.results(graph.build(), inputs)[0], models.results(old, inputs)[0][:, :2], rtol=1e-5
    )


def test_what_was_put_in_can_be_replaced():
    graph = Graph.of(models.sequential())
    node = graph.insert_after(graph.find("first"), layers.Dropout(0.1, name="drop"))
    put_in = layers.Dropout(0.9, name="more")
    graph.replace(node, put_in)
    assert node.path == "more"
    assert graph.find("more") is node
    graph.insert_after(node, layers.ReLU(name="drop"))
    new = graph.build()
    assert [layer.name for layer in new.layers] == ["first", "more", "drop", "norm", "last"]
    assert new.get_layer("more") is put_in


def test_a_nested_model_that_is_replaced_is_no_longer_looked_into():
    graph = Graph.of(models.nested())
    inside = graph.find("inner/inner_dense")
    graph.replace(graph.find("inner"), layers.Dense(5, name="flat"), lambda old, new: None)
    assert [node.path for node in graph.nodes] == ["x", "inner", "outer_dense", "top"]
    assert [one.path for one in graph.followers(graph.find("x"))] == ["inner"]
    with pytest.raises(ValueError, match="a node of this graph"):
        graph.insert_after(inside, layers.ReLU())
    assert [layer.name for layer in graph.build().layers] == ["x", "flat", "outer_dense", "top"]


def test_a_layer_of_a_nested_model_that_is_replaced_may_be_called_elsewhere():
    dense, x = layers.Dense(4, name="both"), keras.Input((4,))
    inner = keras.Sequential([keras.Input((4,)), dense], name="inner")
    graph = Graph.of(keras.Model(x, inner(layers.ReLU(name="relu")(dense(x)))))
    graph.replace(graph.find("inner"), layers.Dense(4, name="inner"))
    graph.replace(graph.find("both"), layers.Dense(4, activation="tanh", name="other"))
    assert [layer.name for layer in graph.build().layers][1:] == ["other", "relu", "inner"]


def test_replacing_a_shared_layer_replaces_all_its_calls():
    graph = Graph.of(models.shared())
    graph.replace(graph.find("tower"), layers.Dense(5, activation="tanh", name="rebuilt"))
    new = graph.build()
    assert [node.path for node in Graph.of(new).nodes].count("rebuilt") == 2


def test_an_output_keeps_its_name():
    graph = Graph.of(models.two_in_two_out())
    with pytest.raises(ValueError, match="named 'price'"):
        graph.replace(graph.find("price"), layers.Dense(1, name="cost"))
    with pytest.raises(ValueError, match="gives an output of the model"):
        graph.insert_after(graph.find("price"), layers.ReLU())


def test_the_last_layer_of_a_nested_model_may_be_an_output():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="end")], name="inner")
    x = keras.Input((3,))
    graph = Graph.of(keras.Model(x, inner(layers.Dense(4)(x))))
    with pytest.raises(ValueError, match="'inner/end'"):
        graph.insert_after(graph.find("inner/end"), layers.ReLU())


def test_names():
    graph = Graph.of(models.sequential())
    assert graph.unique_name("new") == "new"
    assert graph.unique_name("norm") == "norm_1"
    with pytest.raises(ValueError, match="name of its own"):
        graph.insert_after(graph.find("first"), layers.ReLU(name="norm"))
    with pytest.raises(ValueError, match="Did you mean 'first'"):
        graph.find("fist")


def test_layers_of_the_model_cannot_be_put_in():
    graph = Graph.of(models.sequential())
    with pytest.raises(ValueError, match="share its weights"):
        graph.insert_after(graph.find("first"), graph.model.layers[0])
    wrapped = layers.TimeDistributed(graph.model.layers[0])
    with pytest.raises(ValueError, match="share its weights"):
        graph.insert_after(graph.find("first"), wrapped)
    with pytest.raises(TypeError, match="a Keras layer"):
        graph.insert_after(graph.find("first"), "relu")
    with pytest.raises(TypeError, match="node"):
        graph.insert_after("first", layers.ReLU())
    with pytest.raises(ValueError, match="a node of this graph"):
        graph.insert_after(Graph.of(graph.model).find("first"), layers.ReLU())
    with pytest.raises(ValueError, match="`output`"):
        graph.insert_after(graph.find("first"), layers.ReLU(), output=1)


def test_an_edited_graph_builds_once():
    graph = Graph.of(models.sequential())
    graph.insert_after(graph.find("first"), layers.ReLU())
    graph.build()
    with pytest.raises(RuntimeError, match=r"Graph\.of"):
        graph.build()


def test_models_without_a_graph():
    with pytest.raises(ValueError, match="subclassed model"):
        Graph.of(models.subclassed())
    with pytest.raises(ValueError, match="built"):
        Graph.of(keras.Sequential([layers.Dense(2)]))
    for wrong in (3, layers.Dense(2)):
        with pytest.raises(TypeError, match="model"):
            Graph.of(wrong)
