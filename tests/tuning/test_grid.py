"""Grids beside those of KerasTuner: which configurations, in which order, and when to wait."""

import keras
import keras_tuner
import pytest

from kerasopt.tuning import GridSearch, OptunaOracle, Tuner


def late(hp):
    """Two branches, each of which asks for something of its own, outside any condition."""
    return hp.Choice("b", [0, 1, 2]) if hp.Boolean("a") else hp.Choice("c", [3, 4, 5])


def numbers(hp):
    return hp.Int("n", 1, 3) * hp.Float("x", 1.0, 2.0, default=1.5)


def unused(hp):
    return float(hp.Boolean("a") and hp.Boolean("b") and hp.Choice("c", [1, 2]))


def conditional(hp):
    kind = hp.Choice("kind", ["small", "large"])
    with hp.conditional_scope("kind", ["large"]):
        return float(kind == "large" and hp.Int("width", 1, 3))


def nothing(hp):
    return 1.0


def searched(cls, ask, folder, **arguments):
    """Run a grid whose trials declare everything; give what each trial asked for, in order."""
    asked = []

    class Declares(cls):
        def run_trial(self, trial, **kwargs):
            hp, names = trial.hyperparameters, set()
            get = type(hp)._retrieve

            def noting(parameter):
                names.add(parameter.name)
                return get(hp, parameter)

            hp._retrieve = noting
            value = ask(hp)
            del hp._retrieve
            asked.append({name: hp.values[name] for name in sorted(names) if name in hp.values})
            return float(value)

    tuner = Declares(directory=folder, **arguments)
    tuner.search(verbose=0)
    return asked, tuner


@pytest.mark.parametrize(
    ("ask", "count"),
    [(late, 12), (numbers, 33), (conditional, 4), (nothing, 1)],
)
def test_the_configurations_of_keras_tuner_each_as_often_as_there(ask, count, tmp_path):
    mine, tuner = searched(GridSearch, ask, tmp_path / "a", storage="memory")
    theirs, _ = searched(keras_tuner.GridSearch, ask, tmp_path / "b")
    assert sorted(map(str, mine)) == sorted(map(str, theirs))
    assert len(mine) == count
    assert [one.state for one in tuner.results()] == ["COMPLETED"] * len(mine)
    assert tuner.remaining_trials is None


def test_what_a_trial_never_asks_for_is_not_gone_through(tmp_path):
    # KerasTuner 1.4.8 ends such a grid with a KeyError: trials without the new one are there.
    mine, _ = searched(GridSearch, unused, tmp_path, storage="memory")
    assert mine == [
        {"a": False},
        {"a": True, "b": False},
        {"a": True, "b": True, "c": 1},
        {"a": True, "b": True, "c": 2},
    ]


def test_a_crash_before_everything_was_asked_for_does_not_stand_for_the_rest(tmp_path):
    crashed = []

    def ask(hp):
        if hp.Boolean("a") and not crashed:
            crashed.append(True)
            raise ValueError("the first of its kind")
        return float(hp.Choice("c", [1, 2, 3]))

    class Declares(GridSearch):
        def run_trial(self, trial, **kwargs):
            return ask(trial.hyperparameters)

    hyperparameters = keras_tuner.HyperParameters()
    hyperparameters.Boolean("a")
    tuner = Declares(directory=tmp_path, storage="memory", hyperparameters=hyperparameters)
    tuner.search(verbose=0)
    done = [one.values for one in tuner.results() if one.state == "COMPLETED"]
    assert {(one["a"], one["c"]) for one in done} >= {
        (False, 1), (False, 2), (False, 3), (True, 2), (True, 3),
    }  # fmt: skip


@pytest.mark.parametrize("own", [True, False])
def test_what_a_running_trial_may_still_ask_for_is_waited_for(own, tmp_path):
    space = keras_tuner.HyperParameters()
    space.Boolean("a")
    arguments = {"objective": keras_tuner.Objective("score", "min"), "hyperparameters": space}
    if own:
        oracle = OptunaOracle(max_trials=None, sampler="grid", storage="memory", **arguments)
    else:
        oracle = keras_tuner.oracles.GridSearchOracle(**arguments)
    oracle._set_project_dir(str(tmp_path), "grid")

    def end(trial):
        trial.hyperparameters.Boolean("b")
        oracle.update_space(trial.hyperparameters)
        oracle.update_trial(trial.trial_id, {"score": 1.0})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)

    first, second = oracle.create_trial("1"), oracle.create_trial("2")
    said = [first.status, second.status, oracle.create_trial("3").status]
    end(first)
    third = oracle.create_trial("3")
    said += [third.status, oracle.create_trial("4").status]
    end(second)
    fourth = oracle.create_trial("4")
    said += [fourth.status, oracle.create_trial("5").status]
    end(third)
    end(fourth)
    said.append(oracle.create_trial("5").status)
    assert said == [
        "RUNNING", "RUNNING", "IDLE", "RUNNING", "IDLE", "RUNNING", "IDLE", "STOPPED",
    ]  # fmt: skip
    assert {
        tuple(one.hyperparameters.values.items()) for one in (first, second, third, fourth)
    } == {(("a", a), ("b", b)) for a in (False, True) for b in (False, True)}


def test_what_fit_declares_is_gone_through(tmp_path):
    class Mine(keras_tuner.HyperModel):
        def build(self, hp):
            hp.Fixed("f", 3)
            return keras.Sequential()

        def fit(self, hp, model, **kwargs):
            return float(hp.Choice("c", [0, 1, 2]))

    tuner = GridSearch(Mine(), directory=tmp_path, storage="memory")
    tuner.search(verbose=0)
    assert [one.values for one in tuner.results()] == [{"f": 3, "c": c} for c in (0, 1, 2)]


def test_remaining_trials_are_those_of_max_trials(tmp_path):
    tuner = searched(GridSearch, conditional, tmp_path, storage="memory", max_trials=200)[1]
    assert tuner.remaining_trials == 196


def lines_of(cls, ask, folder, capsys, **arguments):
    class Asks(cls):
        def run_trial(self, trial, **kwargs):
            return float(ask(trial.hyperparameters))

    Asks(objective=None, directory=folder, project_name=ask.__name__, **arguments).search()
    return [one.split(" | ") for one in capsys.readouterr().out.splitlines()]


def test_a_line_says_how_many_trials_as_far_as_is_known(tmp_path, capsys):
    lines = lines_of(GridSearch, late, tmp_path, capsys)
    done, most = zip(*(one[0].split("(")[1][:-1].split("/") for one in lines), strict=True)
    assert [int(one) for one in done] == list(range(1, 13))
    assert all(int(one) <= int(other) for one, other in zip(done, most, strict=True))


def test_without_a_limit_no_line_says_how_many(tmp_path, capsys):
    def endless(hp):
        if hp.Float("x", 0.0, 1.0) and len(list(tmp_path.glob("endless/trial_*"))) > 1:
            raise KeyboardInterrupt
        (tmp_path / "endless" / f"trial_{hp.get('x')}").mkdir()
        return hp.get("x")

    with pytest.raises(KeyboardInterrupt):
        lines_of(Tuner, endless, tmp_path, capsys, max_trials=None, sampler="random")
    lines = [one.split(" | ") for one in capsys.readouterr().out.splitlines()]
    assert [one[0] for one in lines[:2]] == ["trial 0000 (1)", "trial 0001 (2)"]
    assert "left" not in lines[0][-1]
