"""One registry of names: what a name or plain data stands for, in every room."""

import json

import numpy as np
import pytest

from kerasopt import schedules, stopping
from kerasopt._core.registry import Registry, is_serialized, snake_case
from kerasopt._core.serialization import Configured
from kerasopt.pruning import criteria, patterns, scopes
from kerasopt.pruning.criteria.registry import CRITERIA, Function
from kerasopt.pruning.masks.dynamics import DYNAMICS, RigL
from kerasopt.pruning.patterns.registry import PATTERNS
from kerasopt.pruning.scopes.registry import SCOPES
from kerasopt.schedules.serialization import SCHEDULES
from kerasopt.stopping.rules.serialization import RULES
from kerasopt.structured.importance.importance import IMPORTANCES, l2, taylor

REGISTRIES = [CRITERIA, PATTERNS, SCOPES, DYNAMICS, SCHEDULES, RULES]


class Shape(Configured):
    pass


class UnitCircle(Shape):
    def __init__(self, radius=1.0):
        self.radius = radius

    def get_config(self):
        return {"radius": self.radius}


class Square(Shape):
    def __init__(self, side):
        self.side = side

    def get_config(self):
        return {"side": self.side}


class Pair(Shape):
    def __init__(self, shapes):
        self.shapes = list(shapes)

    def get_config(self):
        return {"shapes": [SHAPES.serialize(one) for one in self.shapes]}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        return cls([SHAPES.deserialize(one, custom_objects) for one in config["shapes"]])


class Mine(Shape):
    pass


SHAPES = Registry("shape", Shape, [Square, Pair], {"round": UnitCircle}, also="a number of corners")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("PolynomialDecay", "polynomial_decay"),
        ("NM", "nm"),
        ("RigL", "rig_l"),
        ("L1Norm", "l1_norm"),
        ("HTTPServer", "http_server"),
        ("Erk", "erk"),
    ],
)
def test_snake_case(name, expected):
    assert snake_case(name) == expected


@pytest.mark.parametrize("name", ["round", "ROUND", "UnitCircle", "unit_circle", " unitcircle "])
def test_a_name_in_any_of_its_forms(name):
    assert SHAPES.get(name) == UnitCircle()


def test_objects_and_plain_data():
    square = Square(2)
    assert SHAPES.get(square) is square
    pair = Pair([square, UnitCircle(3.0)])
    data = json.loads(json.dumps(SHAPES.serialize(pair)))
    assert data["class_name"] == "Pair"
    assert SHAPES.get(data) == SHAPES.deserialize(data) == pair
    assert SHAPES.deserialize({"class_name": "unit_circle", "config": {}}) == UnitCircle()
    with pytest.raises(TypeError, match="`shape`. Expected a shape: Shape"):
        SHAPES.serialize(3)


def test_classes_of_ones_own_come_first_and_reach_what_is_inside():
    data = SHAPES.serialize(Pair([Mine(), UnitCircle()]))
    assert SHAPES.deserialize(data, {"Mine": Mine}).shapes[0] == Mine()
    assert SHAPES.get("Mine", {"Mine": Mine}) == Mine()
    mine = SHAPES.deserialize({"class_name": "Square", "config": {}}, {"Square": Mine})
    assert type(mine) is Mine
    with pytest.raises(ValueError, match="`class_name`.*'Mine'"):
        SHAPES.deserialize(data)


@pytest.mark.parametrize(
    ("value", "error", "said"),
    [
        ("rond", ValueError, r"`shape`. Expected one of \['round'\].*Did you mean 'round'"),
        ("square", ValueError, r"Square needs arguments: give `Square\(side=...\)`"),
        (3, TypeError, r"Expected a shape, its name \(one of \['round'\]\) or a number of corners"),
        (UnitCircle, TypeError, "`shape`"),
        ({"class_name": "Sqare", "config": {}}, ValueError, "`class_name`.*Did you mean 'Square'"),
    ],
)
def test_what_no_object_has_the_name_of(value, error, said):
    with pytest.raises(error, match=said):
        SHAPES.get(value)


@pytest.mark.parametrize(
    ("config", "error"),
    [(None, TypeError), ("Square", TypeError), ({"class_name": "Square"}, ValueError),
     ({"config": {}}, ValueError), ({"class_name": "Square", "config": 3}, ValueError),
     ({"class_name": "Round", "config": {}}, ValueError),
     ({"class_name": ["Square"], "config": {}}, ValueError)],
)  # fmt: skip
def test_what_is_no_plain_data_of_an_object(config, error):
    with pytest.raises(error, match="`config`|`class_name`"):
        SHAPES.deserialize(config)


@pytest.mark.parametrize("registry", REGISTRIES, ids=lambda one: one.argument)
def test_every_class_of_every_room_is_found_by_each_of_its_names(registry):
    assert registry.classes
    for name, cls in registry.classes.items():
        assert registry.find(name) is registry.find(snake_case(name)) is cls
        assert issubclass(cls, registry.base)
    for name, cls in registry.named.items():
        made = registry.get(name)
        assert type(made) is type(registry.get(name.upper())) is cls
        again = registry.deserialize(registry.serialize(made))
        assert repr(again) == repr(made)
        assert again.get_config() == made.get_config()


def test_the_rooms():
    assert criteria.get("Wanda") == criteria.get(criteria.serialize(criteria.Wanda()))
    assert criteria.get(np.abs) == Function(np.abs)
    assert patterns.get("weights") == patterns.get("Weight") == patterns.Weight()
    assert patterns.get(patterns.serialize(patterns.NM(2, 4))) == patterns.get("2:4")
    assert scopes.get("per_layer") == scopes.get("layer") == scopes.PerLayer()
    assert scopes.get({"class_name": "Erk", "config": {}}) == scopes.Erk()
    assert scopes.get({"class_name": 0.5, "config": 0.25}) == scopes.Named(
        {"class_name": 0.5, "config": 0.25}
    )
    assert DYNAMICS.get("rig_l") == DYNAMICS.get("rigl") == RigL()
    assert repr(stopping.get("patience")) == repr(stopping.Patience())
    with pytest.raises(ValueError, match="a float for `factor`"):
        stopping.get("divergence")
    rule = stopping.Patience(2) & stopping.NonFinite()
    assert repr(stopping.get(stopping.serialize(rule))) == repr(rule)
    linear = schedules.Linear(0.0, 0.5)
    assert schedules.get(schedules.serialize(linear)) == schedules.get(linear) == linear
    with pytest.raises(ValueError, match=r"give `Linear\(initial=..., final=...\)`"):
        schedules.get("linear")


class Own(scopes.Scope):
    def allocate(self, kernels, sparsity, share=1.0):
        return [0 for _ in kernels]


def test_a_scope_inside_another_may_be_ones_own():
    ends = scopes.DenseEnds(Own())
    data = scopes.serialize(ends)
    assert scopes.deserialize(data, {"Own": Own}) == ends
    with pytest.raises(ValueError, match="`class_name`.*'Own'"):
        scopes.deserialize(data)


def test_names_of_functions():
    assert IMPORTANCES.get("L2") is IMPORTANCES.get(l2) is l2
    assert IMPORTANCES.serialize("Taylor") == IMPORTANCES.serialize(taylor) == "taylor"
    assert IMPORTANCES.deserialize("taylor") is taylor

    def own(group):
        return group

    assert IMPORTANCES.serialize(own) is IMPORTANCES.get(own) is own
    with pytest.raises(ValueError, match=r"`importance`.*Did you mean 'taylor'"):
        IMPORTANCES.get("tailor")
    with pytest.raises(TypeError, match="`importance`.*or a function of a group"):
        IMPORTANCES.get(3)


def test_the_form_of_plain_data():
    assert is_serialized({"class_name": "Erk", "config": {}})
    assert not is_serialized({"class_name": "Erk"})
    assert not is_serialized({"class_name": 0.5, "config": 0.5})
    assert not is_serialized("Erk")
