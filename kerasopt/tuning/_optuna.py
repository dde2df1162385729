"""Where searches lean on Optuna's insides: every private name of Optuna stands here.

`tests/tuning/test_private_names.py` notices when one of them goes away.
"""

from pathlib import Path
from typing import Any


def storage_of(study: Any) -> Any:
    """Give the storage of a study. Private: a study has no public way to it.

    A trial that is given up, told by two processes or looked for while it runs is a matter of the
    storage, whose answer says who came first.
    """
    return study._storage


def id_of(trial: Any) -> int:
    """Give what a storage calls a trial. Private: `trial.number` counts within the study only."""
    return int(trial._trial_id)


def journal_of(backend: Any) -> Path:
    """Give the file of a `JournalFileBackend`. Private: it has no public name for its path."""
    return Path(backend._file_path)
