"""The oracle in KerasTuner's own base tuner: order, faults, resumption; no model is trained."""

import json
import math
import warnings
from typing import ClassVar

import keras_tuner
import optuna
import pytest
import sqlalchemy.exc

from kerasopt.tuning.oracle import heartbeat, retry
from kerasopt.tuning.oracle.oracle import OptunaOracle
from kerasopt.tuning.storage import storages
from kerasopt.tuning.storage.records import OUT, OWNER
from kerasopt.tuning.storage.storages import StorageError
from kerasopt.tuning.tuner import Tuner
from tests.tuning.test_configurations import conditional


def space():
    hp = keras_tuner.HyperParameters()
    hp.Float("x", -1.0, 1.0)
    hp.Int("n", 1, 4)
    return hp


class Surface(Tuner):
    """Gives a number, without any model; `broken` says what happens instead, by trial."""

    broken: ClassVar[dict] = {}

    def run_trial(self, trial, **kwargs):
        hp = trial.hyperparameters
        what = type(self).broken.get(int(trial.trial_id))
        if isinstance(what, BaseException):
            raise what
        if what is not None:
            return what[0]
        return (hp.Float("x", -1.0, 1.0) - 0.3) ** 2 + hp.Int("n", 1, 4)


@pytest.fixture
def surface():
    class Own(Surface):
        broken: ClassVar[dict] = {}

    return Own


def run(kind, folder, broken=None, **kwargs):
    kind.broken = broken or {}
    usual = {"max_trials": 8, "seed": 0, "hyperparameters": space()}
    tuner = kind(directory=folder, **{**usual, **kwargs})
    tuner.search(verbose=0)
    return tuner


def test_it_runs_in_keras_tuners_own_base_tuner_and_finds_the_valley(tmp_path):
    class Plain(keras_tuner.Tuner):
        def run_trial(self, trial, **kwargs):
            hp = trial.hyperparameters
            return (hp.Float("x", -1.0, 1.0) - 0.3) ** 2 + hp.Int("n", 1, 4)

    oracle = OptunaOracle(max_trials=40, seed=0, hyperparameters=space())
    tuner = Plain(oracle, directory=tmp_path)
    tuner.search(verbose=0)
    best = tuner.get_best_hyperparameters()[0]
    assert best.get("n") == 1
    assert abs(best.get("x") - 0.3) < 0.2
    scores = [trial.score for trial in oracle.get_best_trials(40)]
    assert len(scores) == 40
    assert scores == sorted(scores)
    assert oracle.remaining_trials() == 0


def test_a_search_that_is_started_again_runs_nothing_twice_and_more_trials_go_on(surface, tmp_path):
    first = run(surface, tmp_path, max_trials=5)
    told = [one.to_dict() for one in first.results()]
    again = run(surface, tmp_path, max_trials=5)
    assert [one.to_dict() for one in again.results()] == told
    more = run(surface, tmp_path, max_trials=9)
    assert [one.to_dict() for one in more.results()][:5] == told
    assert len(more.results()) == 9
    # The same seed does not give the same numbers again.
    assert len({one.values["x"] for one in more.results()}) == 9


def test_overwrite_begins_anew(surface, tmp_path):
    run(surface, tmp_path, max_trials=5)
    assert len(run(surface, tmp_path, max_trials=3, overwrite=True).results()) == 3


def test_one_seed_gives_one_search(surface, tmp_path):
    both = [run(surface, tmp_path / name, max_trials=15) for name in ("a", "b")]
    values = [[one.values for one in tuner.results()] for tuner in both]
    assert values[0] == values[1]


def test_initial_values_are_tried_first(surface, tmp_path):
    tuner = run(surface, tmp_path, initial=[{"x": 0.25, "n": 2}, {"n": 3}],
                hyperparameters=space())  # fmt: skip
    values = [one.values for one in tuner.results()]
    assert values[0] == {"x": 0.25, "n": 2}
    assert values[1]["n"] == 3
    tuner = run(surface, tmp_path / "b", initial="default", hyperparameters=space())
    assert tuner.results()[0].values == {"x": -1.0, "n": 1}


@pytest.mark.parametrize(
    ("initial", "error"), [("defaults", ValueError), (3, TypeError), ([3], TypeError)]
)
def test_wrong_initial_values(initial, error):
    with pytest.raises(error, match="initial"):
        OptunaOracle(initial=initial)


def test_initial_values_that_are_not_of_the_space_name_the_closest(surface, tmp_path):
    with pytest.raises(ValueError, match="Did you mean 'n'"):
        run(surface, tmp_path, initial=[{"nn": 2}], hyperparameters=space())


NOT_FINITE = [math.nan, math.inf, -math.inf]


@pytest.mark.parametrize("value", NOT_FINITE)
@pytest.mark.parametrize("direction", ["min", "max"])
def test_what_is_not_finite_never_wins_and_is_no_crash(value, direction, surface, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        tuner = run(surface, tmp_path, {n: ({"score": value},) for n in range(6)} |
                    {6: ({"score": 1.0},), 7: ({"score": 2.0},)},
                    objective=("score", direction))  # fmt: skip
    records = tuner.results()
    assert [one.state for one in records] == ["FAILED"] * 6 + ["COMPLETED"] * 2
    assert records[0].reason == f"score is {value}"
    best = tuner.oracle.get_best_trials()[0]
    assert best.score == (2.0 if direction == "max" else 1.0)


def test_a_trial_that_raises_is_kept_with_its_reason_and_the_rest_unharmed(surface, tmp_path):
    broken = {1: ValueError("no such thing"), 4: MemoryError("17 GB"), 6: (None,)}
    records = run(surface, tmp_path, broken).results()
    assert [one.id for one in records if one.state == "FAILED"] == ["0001", "0004", "0006"]
    assert records[1].reason == "ValueError: no such thing"
    assert "Traceback" in records[1].message
    assert records[4].reason == "MemoryError: 17 GB"
    assert "forget to return" in records[6].reason
    assert sum(one.state == "COMPLETED" for one in records) == 5


@pytest.mark.parametrize("result", ["0.9", {"score": "high"}, [], object()])
def test_a_result_that_is_none_is_a_failed_trial(result, surface, tmp_path):
    record = run(surface, tmp_path, {2: (result,)}).results()[2]
    assert record.state == "FAILED"
    assert record.reason


def test_three_crashes_in_a_row_end_the_search_with_the_first_ones_own_error(surface, tmp_path):
    broken = {n: ValueError(f"number {n}") for n in range(2, 8)}
    with pytest.raises(RuntimeError, match="3 trials in a row") as caught:
        run(surface, tmp_path, broken)
    assert "number 2" in str(caught.value)
    assert "Traceback" in str(caught.value)
    # A search that is mended goes on.
    surface.broken = {}
    tuner = surface(directory=tmp_path, max_trials=8, hyperparameters=space())
    tuner.search(verbose=0)
    assert len(tuner.results()) == 8


def test_a_search_in_which_everything_fails_says_so_even_if_it_is_short(surface, tmp_path):
    with pytest.raises(RuntimeError, match="the only way"):
        run(surface, tmp_path, dict.fromkeys(range(2), ValueError("the only way")), max_trials=2)


def test_crashes_apart_do_not_end_it_and_values_that_are_not_finite_do_not_count(surface, tmp_path):
    nan, crash = (math.nan,), ValueError("x")
    broken = {0: crash, 1: crash, 3: crash, 4: nan, 5: crash, 6: nan}
    assert len(run(surface, tmp_path, broken).results()) == 8


def test_a_crash_is_tried_again_where_that_is_wanted(surface, tmp_path):
    tuner = run(surface, tmp_path, {2: ValueError("once")}, max_retries_per_trial=1)
    records = tuner.results()
    assert len(records) == 8
    assert all(one.state == "COMPLETED" for one in records)
    trials = tuner.oracle.study.trials
    assert "tried again" in trials[2].user_attrs[OUT]
    assert trials[3].params == trials[2].params


def test_an_objective_that_no_trial_reports_ends_it_at_once(surface, tmp_path):
    broken = {n: ({"val_loss": 1.0, "val_accuracy": 0.5},) for n in range(9)}
    with pytest.raises(keras_tuner.errors.FatalValueError, match=r"\['val_accuracy', 'val_loss'\]"):
        run(surface, tmp_path, broken, objective=("val_acuracy", "max"))
    records = surface(directory=tmp_path, objective=("val_acuracy", "max")).results()
    assert [one.state for one in records] == ["FAILED"]


def test_one_trial_without_the_objective_is_only_a_failed_one(surface, tmp_path):
    broken = {n: ({"score": 1.0 * n},) for n in range(9)} | {3: ({"other": 1.0},)}
    records = run(surface, tmp_path, broken, objective=("score", "max")).results()
    assert [one.id for one in records if one.state == "FAILED"] == ["0003"]
    assert "score" in records[3].reason


def test_an_existing_study_with_another_direction_or_objective(surface, tmp_path):
    broken = {n: ({"score": 1.0},) for n in range(9)}
    run(surface, tmp_path, broken, objective=("score", "max"))
    for other in (("score", "min"), ("value", "max"), [("loss", "min"), ("score", "max")]):
        with pytest.raises(ValueError, match="argument `study_name`"):
            run(surface, tmp_path, broken, objective=other)
    with pytest.raises(ValueError, match="constraints"):
        run(surface, tmp_path, broken, objective=("score", "max"), constraints={"score": 3})


@pytest.mark.parametrize("change", ["range", "new", "gone", "kind"])
def test_an_existing_study_with_another_space(change, surface, tmp_path):
    run(surface, tmp_path, hyperparameters=space())
    hp = keras_tuner.HyperParameters()
    hp.Float("x", -1.0, 2.0 if change == "range" else 1.0)
    if change == "kind":
        hp.Choice("n", [1, 2])
    elif change != "gone":
        hp.Int("n", 1, 4)
    if change == "new":
        hp.Boolean("b")
    with pytest.raises(ValueError, match="argument `hypermodel`") as caught:
        run(surface, tmp_path, hyperparameters=hp, max_trials=12)
    named = {"range": "'x' was", "new": "'b' is new", "gone": "'n' is gone", "kind": "'n' was"}
    assert named[change] in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"storage": "nonsense"}, ValueError, "memory"),
        ({"storage": "postgresql:/me:pw-x@host/db"}, ValueError, "two slashes"),
        ({"max_trials": 0}, ValueError, "max_trials"),
        ({"max_trials": 2.5}, TypeError, "max_trials"),
        ({"sampler": "tpee"}, ValueError, "Did you mean 'tpe'"),
        ({"sampler": 3}, TypeError, "sampler"),
        ({"pruner": "median!"}, ValueError, "Did you mean 'median'"),
        ({"objective": [("a", "min"), ("b", "max")], "pruner": "median"}, ValueError, "pruner"),
        ({"objective": [("a", "min"), ("b", "max")], "sampler": "cmaes"}, ValueError, "nsga2"),
        ({"max_retries_per_trial": -1}, ValueError, "max_retries_per_trial"),
        ({"max_consecutive_failed_trials": 0}, ValueError, "max_consecutive"),
        ({"heartbeat": 0}, ValueError, "heartbeat"),
        ({"storage": "postgresql://a:pw-x@127.0.0.1:1/d"}, StorageError, "cannot be reached"),
    ],
)
def test_wrong_arguments_are_said_before_anything_runs(arguments, error, words):
    with pytest.raises(error, match=words) as caught:
        OptunaOracle(**arguments)
    assert "pw-x" not in str(caught.value)


def test_several_objectives_give_a_front(surface, tmp_path):
    class Two(surface):
        def run_trial(self, trial, **kwargs):
            x = trial.hyperparameters.Float("x", 0.0, 1.0)
            return {"error": (x - 0.8) ** 2, "bytes": 100 * x}

    tuner = Two(objective=["error", "bytes"], max_trials=40, sampler="nsga2", seed=0,
                directory=tmp_path, hyperparameters=None)  # fmt: skip
    tuner.search(verbose=0)
    front = tuner.pareto_front()
    # All below 0.8 are a trade; above it both get worse.
    assert all(one.values["x"] <= 0.8 + 0.02 for one in front)
    assert {one.id for one in front} == {
        f"{one.number:04d}" for one in tuner.oracle.study.best_trials
    }
    assert [one.objectives for one in front] == sorted(one.objectives for one in front)


def test_constraints_choose_the_best_that_keeps_them(surface, tmp_path):
    class Bound(surface):
        def run_trial(self, trial, **kwargs):
            x = trial.hyperparameters.Float("x", 0.0, 1.0)
            return {"val_accuracy": x, "tflite_bytes": 100 * x}

    tuner = Bound(objective="val_accuracy", max_trials=40, seed=0, directory=tmp_path,
                  constraints={"tflite_bytes": 50})  # fmt: skip
    tuner.search(verbose=0)
    best = tuner.oracle.best_records()[0]
    assert 40 < best.metrics["tflite_bytes"] <= 50
    assert tuner.oracle.study.best_trial.number == int(best.id)


def test_a_constraint_on_what_is_not_measured_is_an_error(surface, tmp_path):
    with pytest.raises(keras_tuner.errors.FatalValueError, match="tflite_bytes"):
        run(surface, tmp_path, {n: ({"a": 1.0},) for n in range(9)}, objective=("a", "min"),
            constraints={"tflite_bytes": 5})  # fmt: skip


def test_a_trial_whose_owner_has_ended_is_run_again_by_another_oracle(tmp_path):
    first = OptunaOracle(max_trials=3, hyperparameters=space())
    first._set_project_dir(str(tmp_path), "p")
    left = first.create_trial("a")
    owner = dict(first.study.trials[0].user_attrs[OWNER])
    first.keep(left.trial_id, OWNER, {**owner, "pid": 2**22 + 1, "begun": "1"})
    second = OptunaOracle(max_trials=3, hyperparameters=space())
    second._set_project_dir(str(tmp_path), "p")
    taken = second.create_trial("b")
    assert taken.hyperparameters.values == left.hyperparameters.values
    assert taken.trial_id != left.trial_id
    assert second.study.trials[0].user_attrs[OUT].startswith("lost")
    assert len(second.records()) == 1


def test_one_that_comes_back_after_it_was_taken_for_dead_does_no_harm(tmp_path):
    first = OptunaOracle(max_trials=1, hyperparameters=space())
    first._set_project_dir(str(tmp_path), "p")
    left = first.create_trial("a")
    owner = dict(first.study.trials[0].user_attrs[OWNER])
    first.keep(left.trial_id, OWNER, {**owner, "pid": 2**22 + 1, "begun": "1"})
    second = OptunaOracle(max_trials=1, hyperparameters=space())
    second._set_project_dir(str(tmp_path), "p")
    taken = second.create_trial("b")
    for oracle, trial, value in ((second, taken, 1.0), (first, left, 2.0)):
        oracle.update_trial(trial.trial_id, {"default_objective": value})
        trial.status = "COMPLETED"
        oracle.end_trial(trial)
    assert [one.objectives for one in second.records()] == [(1.0,)]
    assert second.create_trial("b").status == "STOPPED"


def test_a_trial_that_kills_its_process_every_time_is_a_failed_one(tmp_path):
    for _ in range(3):
        oracle = OptunaOracle(max_trials=1, hyperparameters=space(), storage=tmp_path / "j.log")
        trial = oracle.create_trial("a")
        owner = oracle.study.trials[int(trial.trial_id)].user_attrs[OWNER]
        oracle.keep(trial.trial_id, OWNER, {**owner, "pid": 2**22 + 1, "begun": "1"})
    last = OptunaOracle(max_trials=1, hyperparameters=space(), storage=tmp_path / "j.log")
    with pytest.raises(RuntimeError, match="3 times in a row"):
        last.create_trial("a")
    assert [one.state for one in last.records()] == ["FAILED"]


def test_a_trial_left_by_an_earlier_search_of_this_process_is_run_again(tmp_path):
    oracle = OptunaOracle(max_trials=2, hyperparameters=space(), storage=tmp_path / "j.log")
    values = oracle.create_trial("a").hyperparameters.values
    del oracle
    again = OptunaOracle(max_trials=2, hyperparameters=space(), storage=tmp_path / "j.log")
    assert again.create_trial("a").hyperparameters.values == values


def test_others_wait_while_one_still_runs(tmp_path):
    one = OptunaOracle(max_trials=1, hyperparameters=space(), storage=tmp_path / "j.log")
    two = OptunaOracle(max_trials=1, hyperparameters=space(), storage=tmp_path / "j.log")
    trial = one.create_trial("a")
    assert two.create_trial("b").status == "IDLE"
    one.update_trial(trial.trial_id, {"default_objective": 1.0})
    trial.status = "COMPLETED"
    one.end_trial(trial)
    assert two.create_trial("b").status == "STOPPED"


def test_of_two_that_ask_at_once_no_trial_is_one_too_many(tmp_path, monkeypatch):
    """Another process asks between this one's count and its own asking."""
    one, two = (
        OptunaOracle(max_trials=1, hyperparameters=space(), storage=tmp_path / "j.log")
        for _ in range(2)
    )
    one.prepare()
    ask = two.study.ask
    begun = []

    def late():
        if not begun:
            begun.append(one.create_trial("a"))
        return ask()

    monkeypatch.setattr(two.study, "ask", late)
    assert two.create_trial("b").status == "IDLE"
    assert begun[0].status == "RUNNING"
    assert len(one.records()) == 1


def test_hyperparameters_that_a_trial_declares_are_known_to_the_study(surface, tmp_path):
    tuner = run(surface, tmp_path, max_trials=6, hyperparameters=None)
    assert all(set(one.params) == {"x", "n"} for one in tuner.oracle.study.trials)
    other = surface(directory=tmp_path, max_trials=6)
    assert len(other.results()) == 6
    json.dumps(tuner.oracle.study.user_attrs)


def test_the_study_can_be_opened_with_optuna_alone(surface, tmp_path):
    run(surface, tmp_path, max_trials=4)
    backend = optuna.storages.journal.JournalFileBackend(
        str(tmp_path / "untitled_project" / "journal.log")
    )
    study = optuna.load_study(
        storage=optuna.storages.JournalStorage(backend), study_name="untitled_project"
    )
    assert len(study.trials) == 4
    assert study.best_trial.user_attrs["values"].keys() == {"x", "n"}


def test_a_first_trial_that_fails_before_it_declares_anything_does_not_end_the_search(
    surface, tmp_path
):
    tuner = run(surface, tmp_path, {0: ValueError("early")}, hyperparameters=None)
    states = [one.state for one in tuner.results()]
    assert states == ["FAILED"] + ["COMPLETED"] * 7


def test_a_result_that_comes_just_before_others_give_the_trial_up_counts(tmp_path):
    one, two = (
        OptunaOracle(max_trials=1, hyperparameters=space(), storage=tmp_path / "j.log")
        for _ in range(2)
    )
    trial = one.create_trial("a")
    two.prepare()
    frozen = two.study.get_trials(deepcopy=False)[0]
    write = two.study._storage.set_trial_state_values

    def late(*arguments):
        one.update_trial(trial.trial_id, {"default_objective": 0.5})
        trial.status = "COMPLETED"
        one.end_trial(trial)
        return write(*arguments)

    two.study._storage.set_trial_state_values = late
    retry.lose(two.study, frozen, "it seemed dead")
    assert [record.objectives for record in two.records()] == [(0.5,)]
    assert two.create_trial("b").status == "STOPPED"


def test_initial_values_are_tried_once_though_two_processes_begin_at_once(tmp_path, monkeypatch):
    oracles = [
        OptunaOracle(max_trials=6, hyperparameters=space(), storage=tmp_path / "j.log",
                     initial="default")
        for _ in range(2)
    ]  # fmt: skip
    write, first = optuna.Study.set_user_attr, []

    def between(study, key, value):
        if key == "kerasopt:begun_with" and not first:
            first.append(key)
            oracles[1].prepare()
        write(study, key, value)

    monkeypatch.setattr(optuna.Study, "set_user_attr", between)
    oracles[0].prepare()
    # As if both had looked before either wrote.
    oracles[0].study.enqueue_trial({"x": -1.0, "n": 1})
    values = []
    for place in (0, 1, 0):
        trial = oracles[place].create_trial(str(len(values)))
        values.append(tuple(trial.hyperparameters.values.values()))
    assert values.count((-1.0, 1)) == 1


def test_initial_values_are_not_lost_if_the_process_ends_while_it_writes_them(
    tmp_path, monkeypatch
):
    def ended(*arguments, **kwargs):
        raise KeyboardInterrupt

    arguments = {"hyperparameters": space(), "initial": [{"x": 0.125, "n": 3}]}
    first = OptunaOracle(storage=tmp_path / "j.log", **arguments)
    with monkeypatch.context() as patched:
        patched.setattr(optuna.Study, "enqueue_trial", ended)
        with pytest.raises(KeyboardInterrupt):
            first.prepare()
    second = OptunaOracle(storage=tmp_path / "j.log", **arguments)
    assert second.create_trial("a").hyperparameters.values == {"x": 0.125, "n": 3}


def test_a_line_that_a_killed_process_has_begun_does_not_spoil_the_journal(tmp_path):
    path = tmp_path / "j.log"
    living = OptunaOracle(hyperparameters=space(), storage=path)
    trial = living.create_trial("a")
    with open(path, "ab") as file:
        file.write(b'{"op_code": 8, "worker_id": "x", "tri')
    living.update_trial(trial.trial_id, {"default_objective": 1.0})
    trial.status = "COMPLETED"
    living.end_trial(trial)
    assert living.create_trial("a").status == "RUNNING"
    assert len(OptunaOracle(hyperparameters=space(), storage=path).study.trials) == 2


def test_an_outage_is_not_taken_for_the_death_of_others(tmp_path, monkeypatch):
    now = [0.0]
    oracle = OptunaOracle(max_trials=3, hyperparameters=space(), storage=tmp_path / "j.log")
    oracle.watch = heartbeat.Watch(60.0, clock=lambda: now[0])
    other = OptunaOracle(max_trials=3, hyperparameters=space(), storage=tmp_path / "j.log")
    trial = other.create_trial("elsewhere")
    owner = other.study.trials[0].user_attrs[OWNER]
    other.keep(trial.trial_id, OWNER, {**owner, "machine": "another", "begun": "1"})
    mine = oracle.create_trial("a")
    now[0] = 59.0
    failing = [3]

    def away():
        if failing[0]:
            failing[0] -= 1
            raise sqlalchemy.exc.OperationalError("select", {}, OSError("gone"))

    monkeypatch.setattr(storages.time, "sleep", lambda seconds: now.__setitem__(0, 200.0))
    oracle.patiently(away)
    oracle.update_trial(mine.trial_id, {"default_objective": 1.0})
    mine.status = "COMPLETED"
    oracle.end_trial(mine)
    oracle.create_trial("a")
    assert OUT not in other.study.trials[0].user_attrs
    now[0] = 261.0
    retry.give_up_the_dead(oracle.study, oracle._mine, oracle.watch)
    assert other.study.trials[0].user_attrs[OUT] == "lost: no sign of life for 60 seconds"


def test_a_search_that_does_not_end_by_its_number_of_trials_says_how_many_there_are(tmp_path):
    oracle = OptunaOracle(
        max_trials=None, sampler="grid", storage="memory", hyperparameters=conditional()
    )
    assert oracle.expected() == 10
    assert oracle.remaining_trials() is None


def test_an_exit_in_a_trial_is_a_failed_trial(surface, tmp_path):
    records = run(surface, tmp_path, {1: SystemExit("by the user")}).results()
    assert [one.state for one in records[:3]] == ["COMPLETED", "FAILED", "COMPLETED"]
    assert "by the user" in records[1].reason


def test_a_search_of_keras_tuners_base_tuner_goes_on_though_its_trials_declare_the_space(tmp_path):
    class Plain(keras_tuner.Tuner):
        def run_trial(self, trial, **kwargs):
            return trial.hyperparameters.Float("x", -1.0, 1.0) ** 2

    for trials in (3, 5):
        tuner = Plain(OptunaOracle(max_trials=trials, seed=0), directory=tmp_path)
        tuner.search(verbose=0)
        assert len(tuner.oracle.trials) == trials
