"""What all tests need: quiet TensorFlow, two logical CPUs, fixed seeds."""

import gc
import os
import signal
import threading
import tomllib
from itertools import count
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import hypothesis
import keras
import numpy as np
import pytest
import tensorflow as tf

# What a shell starts in the background ignores Ctrl-C, and so would every process of the tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    assert threading.current_thread() is threading.main_thread()
    signal.signal(signal.SIGINT, signal.default_int_handler)

# `make test` takes a part of the largest matrices of cases, `make test-all` all of them.
ALL = os.environ.get("KERASOPT_TESTS", "") == "all"
MATRICES = tomllib.loads(Path(__file__).with_name("matrices.toml").read_text())

FUZZ = os.environ.get("KERASOPT_FUZZ", "") not in ("", "0")

# Neither the clock nor a fixture that all examples share says anything about the code.
_COMMON = {
    "deadline": None,
    "suppress_health_check": [
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,
    ],
}
# `make test`: the same examples each time, on every machine.
hypothesis.settings.register_profile("test", derandomize=True, database=None, **_COMMON)
# `make fuzz`: other ones each time; those that failed are tried again first.
hypothesis.settings.register_profile("fuzz", max_examples=1000, print_blob=True, **_COMMON)
hypothesis.settings.load_profile("fuzz" if FUZZ else "test")


def examples(count):
    """Say how many examples a property is tried on in `make test`; `make fuzz` takes ten times."""
    return hypothesis.settings(max_examples=10 * count if FUZZ else count)


def fixed_examples(count):
    """Say so for what reaches other software, which random input could end: the same ones always.

    None of these does.
    """
    return hypothesis.settings(max_examples=count, derandomize=True, database=None)


# Must happen before TensorFlow is first used in the process: for MirroredStrategy.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0],
    [tf.config.LogicalDeviceConfiguration(), tf.config.LogicalDeviceConfiguration()],
)

# Grappler looks through each traced function once more, which is a sixth of the time of a small
# `fit` (0.55 s -> 0.45 s), and computes the same.
tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})


@pytest.fixture(autouse=True)
def _seeds():
    keras.utils.set_random_seed(7)
    yield
    keras.config.set_dtype_policy("float32")
    # Names begin anew, without the garbage collection that takes a quarter of a second.
    keras.utils.clear_session(free_memory=False)


@pytest.fixture(autouse=True, scope="module")
def _old():
    """Leave what is still there after a module out of all later garbage collections.

    TensorFlow keeps several GB of graphs alive; to look through them at each collection makes the
    last tests ten times as slow as the first.
    """
    yield
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def mirrored():
    """Give a strategy of two replicas; a second one in a process would use its collective keys."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])


@pytest.fixture
def blobs():
    """Give 256 samples of 12 features in 3 classes that a small model can learn."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 256)
    centres = rng.normal(size=(3, 12)) * 2
    return (centres[labels] + rng.normal(size=(256, 12))).astype("float32"), labels


def pytest_collection_modifyitems(config, items):
    """Take one of every so many cases of the matrices named in `matrices.toml`."""
    names = {item.nodeid.partition("[")[0] for item in items}
    if list(config.args) == config.getini("testpaths") and MATRICES.keys() - names:
        raise pytest.UsageError(f"matrices.toml: no such test: {sorted(MATRICES.keys() - names)}")
    # Cases that are asked for by name are run.
    if ALL or any("::" in argument for argument in config.args):
        return
    seen = {name: count() for name in MATRICES}
    kept, left = [], []
    for item in items:
        name = item.nodeid.partition("[")[0]
        every = MATRICES.get(name, 1)
        takes = every == 1 or (every > 1 and next(seen[name]) % every == 0)
        (kept if takes else left).append(item)
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept
