"""Ctrl-C during `fit`: a graceful stop at the next step, and nothing left behind."""

import os
import signal
import threading

import keras
import numpy as np
import pytest

from kerasopt.callbacks import BackupAndRestore, EarlyStopping
from tests.behaviour.models import Script, X, Y, small, train


class Press(keras.callbacks.Callback):
    """Press Ctrl-C at a batch of an epoch, once or twice."""

    def __init__(self, epoch, batch=0, times=1):
        super().__init__()
        self.at, self.times, self.ended = (epoch, batch), times, []

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)

    def on_train_batch_end(self, batch, logs=None):
        self.ended.append((self.epoch, batch))


def fit(stopper, *callbacks, values=(0.5, 0.6, 0.7, 0.8), epochs=4):
    model = small()
    history = model.fit(
        X,
        Y,
        epochs=epochs,
        batch_size=2,
        shuffle=False,
        verbose=0,
        callbacks=[Script(values), stopper, *callbacks],
    )
    return model, history


@pytest.fixture(autouse=True)
def _python_s_own_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_step_is_finished_and_the_best_weights_are_restored(capsys):
    press, stopper = Press(epoch=2, batch=1), EarlyStopping(patience=9)
    model, history = fit(stopper, press)
    assert press.ended[-1] == (2, 1)
    assert history.epoch == [0, 1, 2]
    assert (stopper.stopped, stopper.reason) == (True, "interrupted by Ctrl-C")
    assert "training stops after this step" in capsys.readouterr().out
    reference, _ = fit(EarlyStopping(patience=9), epochs=1)
    for a, b in zip(model.get_weights(), reference.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_one_aborts():
    stopper = EarlyStopping(patience=9)
    with pytest.raises(KeyboardInterrupt):
        fit(stopper, Press(epoch=1, times=2))
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_after_an_exception_it_is_as_always():
    class Crash(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("crash")

    stopper = EarlyStopping(patience=9)
    with pytest.raises(RuntimeError, match="crash"):
        fit(stopper, Crash())
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_users_own_stays():
    seen = []
    signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    stopper = EarlyStopping(patience=9)
    _, history = fit(stopper, Press(epoch=1))
    assert seen == [signal.SIGINT]
    assert len(history.epoch) == 4
    assert not stopper.stopped


def test_another_thread_than_the_main_one():
    found = []
    thread = threading.Thread(
        target=lambda: found.append(train(EarlyStopping(patience=1), [1.0, 1.1, 1.2])[1])
    )
    thread.start()
    thread.join()
    assert len(found[0].epoch) == 2


def test_a_backup_outlives_it_and_the_next_start_goes_on(tmp_path):
    first = EarlyStopping(patience=9)
    fit(first, Press(epoch=2, batch=1), BackupAndRestore(tmp_path))
    second = EarlyStopping(patience=9)
    model, history = fit(second, BackupAndRestore(tmp_path))
    whole, expected = fit(EarlyStopping(patience=9))
    assert history.epoch == expected.epoch == [0, 1, 2, 3]
    assert history.history == expected.history
    assert not second.stopped
    for a, b in zip(model.get_weights(), whole.get_weights(), strict=True):
        assert np.array_equal(a, b)
    assert not tmp_path.exists()
