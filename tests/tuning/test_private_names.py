"""The private names of KerasTuner and Optuna that searches use: this notices when one goes away."""

import keras_tuner
import optuna
import pytest

from kerasopt.tuning import _keras_tuner, _optuna


def test_the_storage_of_a_study_and_its_name_for_a_trial():
    storage = optuna.storages.InMemoryStorage()
    optuna.create_study(storage=storage, study_name="first").ask()
    study = optuna.create_study(storage=storage, study_name="second")
    trial = study.ask()
    assert _optuna.storage_of(study) is storage
    number = _optuna.id_of(trial)
    assert (trial.number, number) == (0, 1)
    assert storage.get_trial(number).number == 0
    assert _optuna.id_of(study.get_trials()[0]) == number


def test_the_file_of_a_journal(tmp_path):
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "journal.log"))
    assert _optuna.journal_of(backend) == tmp_path / "journal.log"


@pytest.mark.parametrize("of", _keras_tuner.OVERRIDDEN)
def test_keras_tuner_has_the_methods_that_are_overridden(of):
    # Those of a tuner stand in its base for all that run one model a trial.
    where = {"Tuner": keras_tuner.Tuner, "Oracle": keras_tuner.Oracle}[of]
    for name in _keras_tuner.OVERRIDDEN[of]:
        assert callable(getattr(where, name))


def test_an_oracle_is_told_its_folder(tmp_path):
    oracle = keras_tuner.oracles.RandomSearchOracle(objective="loss", max_trials=1)
    _keras_tuner.set_project_dir(oracle, str(tmp_path), "project")
    assert oracle._project_dir == str(tmp_path / "project")


def test_a_hyperparameter_is_known_under_its_conditions():
    hps = keras_tuner.HyperParameters()
    kind = hps.Choice("kind", ["a", "b"])
    assert kind == "a"
    with hps.conditional_scope("kind", ["b"]):
        hps.Int("units", 1, 4)
    units = next(one for one in hps.space if one.name == "units")
    assert _keras_tuner.knows(hps, units)
    other = keras_tuner.HyperParameters()
    assert not _keras_tuner.knows(other, units)
