"""Rules as plain data and back."""

import json

import pytest

from kerasopt.stopping import AllOf, AnyOf, Patience, Threshold, deserialize, serialize
from tests.stopping.rules.test_rule import RULES


def through_json(data):
    return json.loads(json.dumps(data, allow_nan=False))


class Doubled(Patience):
    """A rule of the user's own."""

    def __init__(self, patience=0, **other):
        super().__init__(patience, **other)
        self.patience *= 2

    def get_config(self):
        return {**super().get_config(), "patience": self.patience // 2}


class Both(AllOf):
    """A combination of the user's own."""


def same(rule, other):
    assert type(rule) is type(other)
    if isinstance(rule, AnyOf | AllOf):
        assert len(rule.rules) == len(other.rules)
        for one, two in zip(rule.rules, other.rules, strict=True):
            same(one, two)
    else:
        assert rule.get_config() == other.get_config()


@pytest.mark.parametrize("make", RULES.values(), ids=RULES)
def test_there_and_back(make):
    rule = make()
    data = through_json(serialize(rule))
    again = deserialize(data)
    same(rule, again)
    assert serialize(again) == data
    assert repr(again) == repr(rule)


@pytest.mark.parametrize("make", RULES.values(), ids=RULES)
def test_from_config_of_the_class(make):
    rule = make()
    same(rule, type(rule).from_config(through_json(rule.get_config())))


def test_the_form():
    assert serialize(Threshold(0.5)) == {
        "class_name": "Threshold",
        "config": {"value": 0.5, "monitor": None, "mode": "auto"},
    }
    assert serialize(Patience(1) | Threshold(0.5)) == {
        "class_name": "AnyOf",
        "config": {"rules": [serialize(Patience(1)), serialize(Threshold(0.5))]},
    }


def test_a_state_is_no_part_of_it():
    rule = Patience(1)
    rule.update(0, {"val_loss": 1.0})
    assert serialize(rule) == serialize(Patience(1))
    assert deserialize(serialize(rule)).best is None


def test_what_was_given_is_not_changed():
    data = serialize(Patience(1) | Threshold(0.5) & Patience(2))
    before = json.dumps(data)
    deserialize(data)
    assert json.dumps(data) == before


@pytest.mark.parametrize(
    "rule",
    [
        Doubled(3),
        Doubled(3) | Threshold(0.5),
        Patience(1) | Threshold(0.5) & Doubled(3),
        Both([Doubled(1), Doubled(2)]),
        Both([Doubled(1), Patience(2)]) | Threshold(1.0),
    ],
)
def test_custom_classes(rule):
    mine = {"Doubled": Doubled, "Both": Both}
    data = through_json(serialize(rule))
    again = deserialize(data, mine)
    same(rule, again)
    assert [type(leaf) for leaf in again.leaves()] == [type(leaf) for leaf in rule.leaves()]
    with pytest.raises(ValueError, match="`class_name`"):
        deserialize(data)


def test_a_custom_class_may_take_the_name_of_one_of_ours():
    rule = deserialize(serialize(Patience(3)), {"Patience": Doubled})
    assert type(rule) is Doubled
    assert rule.patience == 6


def test_an_unknown_class_is_an_error_that_names_the_closest():
    with pytest.raises(ValueError, match="`class_name`.*Did you mean 'Patience'"):
        deserialize({"class_name": "Patiense", "config": {}})
    inner = {"class_name": "Treshold", "config": {"value": 1.0}}
    nested = {"class_name": "AnyOf", "config": {"rules": [inner, serialize(Patience(1))]}}
    with pytest.raises(ValueError, match="Did you mean 'Threshold'"):
        deserialize(nested)
    with pytest.raises(ValueError, match="Did you mean 'Doubled'"):
        deserialize({"class_name": "Double", "config": {}}, {"Doubled": Doubled})


@pytest.mark.parametrize(
    ("config", "error"),
    [
        (None, TypeError),
        ("Patience", TypeError),
        ([], TypeError),
        (Patience(1), TypeError),
        ({}, ValueError),
        ({"class_name": "Patience"}, ValueError),
        ({"config": {}}, ValueError),
        ({"class_name": "AnyOf"}, ValueError),
        ({"class_name": "AnyOf", "config": {}}, ValueError),
    ],
)
def test_other_forms(config, error):
    with pytest.raises(error, match="`config`"):
        deserialize(config)


def test_the_arguments_are_checked():
    with pytest.raises(ValueError, match="`patience`"):
        deserialize({"class_name": "Patience", "config": {"patience": -1}})
    with pytest.raises(ValueError, match="`rules`"):
        deserialize({"class_name": "AllOf", "config": {"rules": [serialize(Patience(1))]}})
