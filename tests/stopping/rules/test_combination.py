"""Several rules as one."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasopt.stopping import (
    AllOf,
    AnyOf,
    Divergence,
    GeneralizationLoss,
    NonFinite,
    Patience,
    Threshold,
    TimeBudget,
    UpStrips,
    Verdict,
)
from kerasopt.stopping.rules.rule import Rule, go_on
from tests.conftest import examples


class At(Rule):
    """Stops at the steps that it is given, and counts how often it was asked."""

    def __init__(self, *steps):
        self.steps = steps
        self.reset()

    def reset(self):
        self.asked = 0

    def update(self, step, metrics):
        self.asked += 1
        return self._stop(f"step {step}") if step in self.steps else go_on

    def get_config(self):
        return {}

    def get_state(self):
        return {"asked": self.asked}

    def set_state(self, state):
        self.asked = state["asked"]


class Early(At):
    moments = frozenset({"early"})


def stops(rule, steps=6):
    return [step for step in range(steps) if rule.update(step, {}).stop]


def test_any_and_all():
    assert stops(At(1, 3) | At(3, 4)) == [1, 3, 4]
    assert stops(At(1, 3) & At(3, 4)) == [3]
    # At the same time, not one after the other.
    assert stops(At(1) & At(2)) == []
    # As in Python, & comes before |.
    assert stops(At(5) | At(1, 3) & At(3, 4)) == [3, 5]
    assert stops((At(5) | At(1, 3)) & At(3, 4, 5)) == [3, 5]


@given(
    st.lists(st.frozensets(st.integers(0, 7)), min_size=2, max_size=4),
    st.frozensets(st.integers(0, 7)),
)
@examples(100)
def test_as_sets(sets, more):
    steps = range(8)
    union, common = frozenset.union(*sets), frozenset.intersection(*sets)
    assert stops(AnyOf([At(*s) for s in sets]), 8) == sorted(union)
    assert stops(AllOf([At(*s) for s in sets]), 8) == sorted(common)
    nested = AllOf([AnyOf([At(*s) for s in sets]), At(*more)]) | AllOf([At(*s) for s in sets])
    assert stops(nested, 8) == [t for t in steps if t in (union & more) | common]


VALUE = st.floats(0, 2) | st.just(math.nan)
RUNS = st.lists(st.fixed_dictionaries({}, optional={"val_loss": VALUE, "loss": VALUE}), max_size=10)


@given(RUNS)
@examples(100)
def test_real_rules_are_what_they_are_alone(run):
    def rules():
        yield Patience(2)
        yield GeneralizationLoss(30.0)
        yield UpStrips(1, 2)
        yield Divergence(1.5, monitor="loss")

    alone = [[rule.update(t, m) for t, m in enumerate(run)] for rule in rules()]
    first, last = AnyOf(list(rules())), AllOf(list(rules()))
    for step, seen in enumerate(run):
        own = [verdicts[step] for verdicts in alone]
        one, all_ = first.update(step, seen), last.update(step, seen)
        assert one.stop == any(verdict.stop for verdict in own)
        assert all_.stop == all(verdict.stop for verdict in own)
        assert one.reason == "; ".join(verdict.reason for verdict in own if verdict.stop)


def test_reasons_name_the_rules():
    rule = NonFinite("loss") | Threshold(0.5) | Patience(9)
    assert rule.update(0, {"val_loss": 0.4, "loss": math.nan}).reason == (
        "NonFinite: loss is nan; Threshold: val_loss is 0.4 and has reached 0.5"
    )
    assert rule.update(1, {"val_loss": 0.4, "loss": 1.0}).reason.startswith("Threshold: ")
    assert rule.update(2, {"val_loss": 0.6, "loss": 1.0}) == go_on
    rule = NonFinite("loss") & Threshold(0.5)
    assert rule.update(0, {"val_loss": 0.4, "loss": 1.0}) == Verdict(stop=False)
    assert rule.update(1, {"val_loss": 0.4, "loss": math.inf}).reason == (
        "NonFinite: loss is inf and Threshold: val_loss is 0.4 and has reached 0.5"
    )


@pytest.mark.parametrize("cls", [AnyOf, AllOf])
def test_every_rule_sees_every_update(cls):
    rules = [At(0, 1, 2), At(), At(0, 1, 2)]
    stops(cls([cls(rules[:2]), rules[2]]), 5)
    assert [rule.asked for rule in rules] == [5, 5, 5]


def test_a_chain_is_flat():
    a, b, c, d = At(1), At(2), At(3), At(4)
    assert (a | b | c | d).rules == [a, b, c, d]
    assert ((a | b) | (c | d)).rules == [a, b, c, d]
    assert (a & b & c).rules == [a, b, c]
    mixed = a | b & c | d
    assert [type(rule) for rule in mixed.rules] == [At, AllOf, At]
    assert mixed.leaves() == [a, b, c, d]
    assert AnyOf((a, b)).rules == [a, b]


def test_a_combination_of_the_users_own_is_not_taken_apart():
    class Majority(AnyOf):
        def _combined(self, verdicts):
            stop = sum(verdict.stop for verdict in verdicts) * 2 > len(verdicts)
            return Verdict(stop, "Majority: so be it" if stop else "")

    majority = Majority([At(1), At(1, 2), At(2, 3)])
    assert stops(majority) == [1, 2]
    majority = Majority([At(1), At(1, 2), At(2, 3)])
    assert stops(majority | At(5)) == [1, 2, 5]


def test_and_and_or_are_refused():
    for combine in (lambda a, b: a or b, lambda a, b: a and b):
        with pytest.raises(TypeError, match=r"combine rules with `\|` and `&`"):
            combine(At(1), At(2))


def test_the_parts_are_not_changed_by_combining():
    pair = At(1) | At(2)
    _ = pair | At(3)
    assert len(pair.rules) == 2


@pytest.mark.parametrize(
    "combine",
    [
        lambda a, b: a | a,
        lambda a, b: a & a,
        lambda a, b: a | b | a,
        lambda a, b: (a | b) & a,
        lambda a, b: (a & b) | (b & Patience(3)),
        lambda a, b: AnyOf([a, b, a]),
    ],
)
def test_a_rule_stands_in_it_once(combine):
    with pytest.raises(ValueError, match="`rules`.*each rule once"):
        combine(At(1), At(2))


def test_equal_rules_are_two():
    assert stops(At(1) | At(1)) == [1]


@pytest.mark.parametrize("other", [None, 3, "patience", [At(1)], At])
def test_only_rules_combine(other):
    for combine in (
        lambda: At(1) | other,
        lambda: At(1) & other,
        lambda: other | At(1),
        lambda: other & At(1),
    ):
        with pytest.raises(TypeError, match="unsupported operand"):
            combine()


@pytest.mark.parametrize("cls", [AnyOf, AllOf])
@pytest.mark.parametrize(
    ("rules", "error"),
    [
        ([], ValueError),
        ([At(1)], ValueError),
        ([At(1), "x"], TypeError),
        ([At(1), At], TypeError),
        (At(1), TypeError),
        (None, TypeError),
        ({At(1), At(2)}, TypeError),
        ("ab", TypeError),
    ],
)
def test_wrong_arguments(cls, rules, error):
    with pytest.raises(error, match="`rules`"):
        cls(rules)


def test_a_moment_goes_to_those_who_want_it():
    early, other = Early(0, 1), At(0, 1)
    rule = early | other
    assert rule.ask("early", 0, {}).reason == "Early: step 0"
    assert rule.ask("epoch", 1, {}).reason == "At: step 1"
    assert not rule.ask("step", 1, {}).stop
    assert (early.asked, other.asked) == (1, 1)
    # One that is not asked does not agree.
    assert not (Early(0) & At(0)).ask("early", 0, {}).stop
    nested = (Early(0) & Early(0)) | At(0)
    assert nested.ask("early", 0, {}).reason == "Early: step 0 and Early: step 0"


def test_guards_are_asked_early():
    clock = iter([0, 1, 99])
    rule = Patience(1) | UpStrips(1, 1) | NonFinite() | TimeBudget(60, lambda: next(clock))
    state = rule.rules[0].get_state(), rule.rules[1].get_state()
    assert rule.ask("early", 0, {"val_loss": math.nan}).reason == "NonFinite: val_loss is nan"
    assert rule.ask("early", 1, {"val_loss": 1.0}).reason.startswith("TimeBudget: ")
    assert (rule.rules[0].get_state(), rule.rules[1].get_state()) == state


def test_a_step_is_for_guards_and_goals_only():
    rule = Patience(1) | UpStrips(1, 1) | Threshold(2.0, mode="max")
    for step, value in enumerate([1.0, 2.0]):
        verdict = rule.ask("step", step, {"val_loss": value})
    assert verdict.reason == "Threshold: val_loss is 2 and has reached 2"
    assert rule.rules[0].best is None
    assert rule.rules[1].best is None


def test_watched_names_each_once():
    rule = Patience(1) | NonFinite("loss") & Threshold(0.5) | Patience(1, monitor="val_auc")
    assert rule.watched == ("val_loss", "loss", "val_auc")


def test_reset_reaches_all():
    rule = At(1) | At(2) & At(3)
    stops(rule)
    rule.reset()
    assert [leaf.asked for leaf in rule.leaves()] == [0, 0, 0]


def test_state_is_that_of_the_rules():
    rule = At(1) | At(2) & At(3)
    stops(rule, 2)
    expected = {"rules": [{"asked": 2}, {"rules": [{"asked": 2}, {"asked": 2}]}]}
    assert rule.get_state() == expected
    other = At(1) | At(2) & At(3)
    other.set_state(expected)
    assert other.get_state() == expected


def test_a_state_of_another_number_of_rules_is_an_error():
    with pytest.raises(ValueError, match="`state`.*2 rules"):
        (At(1) | At(2)).set_state((At(1) | At(2) | At(3)).get_state())
