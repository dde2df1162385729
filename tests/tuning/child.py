"""A search in a process of its own, which tests kill.

Run: python child.py FOLDER STORAGE MAX_TRIALS SAMPLER SECONDS WORKERS
"""

import os
import sys
import threading
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras_tuner

from kerasopt.tuning import Tuner


class Slow(keras_tuner.HyperModel):
    """Trains nothing: takes some time, and writes down that it began and ended.

    As long as its folder has a file `hold` with a number, the trial that begins as that one, and
    all after it, do not end. So whoever looks has as much time as he needs.
    """

    def __init__(self, folder, seconds):
        super().__init__()
        self.folder, self.seconds = folder, seconds

    def build(self, hp):
        import keras

        hp.Int("a", 1, 4)
        hp.Choice("b", ["x", "y", "z"])
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model

    def fit(self, hp, model, *args, **kwargs):
        self.note("begin", hp)
        lines = (Path(self.folder) / "notes").read_text().splitlines()
        begun = [line for line in lines if line.startswith("begin")]
        mine = f"begin {os.getpid()} {hp.get('a')}{hp.get('b')}"
        while held(self.folder, begun.index(mine) + 1):
            threading.Event().wait(0.02)
        time.sleep(self.seconds)
        self.note("end", hp)
        return {"score": hp.get("a") + len(hp.get("b"))}

    def note(self, what, hp):
        line = f"{what} {os.getpid()} {hp.get('a')}{hp.get('b')}\n"
        handle = os.open(
            os.path.join(self.folder, "notes"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666
        )
        os.write(handle, line.encode())
        os.close(handle)


class Killing(Slow):
    """Ends its process without a word at one configuration, as where memory runs out."""

    def fit(self, hp, model, *args, **kwargs):
        if (hp.get("a"), hp.get("b")) == (2, "y"):
            os.kill(os.getpid(), 9)
        return super().fit(hp, model, *args, **kwargs)


def held(folder, number):
    """Tell whether the trial that began as so many has to wait."""
    try:
        return number >= int((Path(folder) / "hold").read_text())
    except FileNotFoundError:
        return False


def tuner_of(folder, storage=None, max_trials=12, sampler="grid", seconds=0.0, kind=Slow):
    return Tuner(
        kind(str(folder), seconds),
        ("score", "max"),
        max_trials,
        sampler,
        storage,
        directory=str(folder),
        project_name="search",
        heartbeat=0.5,
        grace=600.0,  # however busy the machine is
        wait=600.0,
    )


if __name__ == "__main__":
    folder, storage, max_trials, sampler, seconds, workers = sys.argv[1:]
    tuner = tuner_of(folder, None if storage == "-" else storage, int(max_trials), sampler,
                     float(seconds))  # fmt: skip
    tuner.search(verbose=1, workers=int(workers))
    sys.stdout.write(f"done {len(tuner.results())}\n")
