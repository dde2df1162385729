"""Where searches lean on KerasTuner's insides: every private name of KerasTuner stands here.

`tests/tuning/test_private_names.py` notices when one of them goes away.
"""

from typing import Any

OVERRIDDEN = {
    "Tuner": ("_build_and_fit_model", "_build_hypermodel"),
    "Oracle": ("_set_project_dir",),
}
"""Methods of KerasTuner with an underscore that are overridden or called by their name, by class.

Users override the first to train in their own way, as KerasTuner's documentation shows. The last is
the only place where an oracle learns the folder of its project.
"""


def set_project_dir(oracle: Any, directory: str, project_name: str) -> None:
    """Tell an oracle its folder before a tuner does. Private: the constructor has no argument."""
    oracle._set_project_dir(directory, project_name)


def knows(hyperparameters: Any, hp: Any) -> bool:
    """Tell whether a hyperparameter is registered under its conditions.

    Private: `hp.name in hyperparameters` looks at the conditions that are active now.
    """
    return bool(hyperparameters._exists(hp.name, hp.conditions))
