"""Errors, warnings, what is said and what will go: one way for each."""

import logging
import warnings

import keras
import numpy as np
import pytest

import kerasopt
from kerasopt import KerasoptError, KerasoptWarning
from kerasopt._core.checks import warn
from kerasopt._core.deprecation import deprecated
from kerasopt._core.files import DamagedFileError
from kerasopt.export import ExportError
from kerasopt.migrate.tfmot import MigrationError
from kerasopt.tuning.storage.storages import StorageError


def test_errors_have_one_base_and_keep_their_own():
    for error, base in (
        (ExportError, RuntimeError), (MigrationError, RuntimeError), (StorageError, RuntimeError),
        (DamagedFileError, ValueError),
    ):  # fmt: skip
        assert issubclass(error, KerasoptError)
        assert issubclass(error, base)


def test_every_warning_is_of_one_category():
    assert issubclass(KerasoptWarning, UserWarning)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=KerasoptWarning)
        warn("the layer 'a' is left out")
    with pytest.warns(KerasoptWarning, match="left out") as caught:
        warn("the layer 'a' is left out")
    assert caught[0].filename == __file__


def test_verbose_goes_by_a_logger(capsys):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(3, name="a"), keras.layers.Dense(2)]
    )
    kerasopt.insert_dropout(model, 0.5, after="a", verbose=1)
    assert capsys.readouterr().out.startswith("insert_dropout: ")
    logger = logging.getLogger("kerasopt")
    logger.setLevel(logging.WARNING)
    try:
        kerasopt.insert_dropout(model, 0.5, after="a", verbose=1)
    finally:
        logger.setLevel(logging.INFO)
    assert capsys.readouterr().out == ""
    heard = []
    handler = logging.Handler()
    handler.emit = lambda record: heard.append(record.getMessage())
    logger.addHandler(handler)
    try:
        kerasopt.insert_dropout(model, 0.5, after="a", verbose=1)
    finally:
        logger.removeHandler(handler)
    assert len(heard) == 1
    assert "insert_dropout" in heard[0]


def test_a_deprecated_name_works_and_says_what_to_use():
    @deprecated(since="0.3", removed_in="0.5", use="kerasopt.shrink")
    def smaller(values, axis=0):
        """Sum."""
        return np.sum(values, axis=axis)

    assert smaller.__doc__ == "Sum."
    with pytest.warns(
        FutureWarning, match=r"`smaller`.*since 0\.3.*in 0\.5.*`kerasopt\.shrink`"
    ) as one:
        assert smaller([[1, 2], [3, 4]], axis=0).tolist() == [4, 6]
    assert one[0].filename == __file__
