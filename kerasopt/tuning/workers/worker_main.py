"""What runs in the process of a worker. Nothing heavy is imported before it begins."""

import multiprocessing
import pickle
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from kerasopt._core.quiet import held_back, quiet_tensorflow
from kerasopt.tuning.storage.search_interrupt import Once


def work(path: Sequence[str], orders: Any, number: int, answers: Any) -> None:
    """Run trials until the search has all of them, or as many as one process shall run.

    Args:
        path: Of the parent, where Python looks for modules.
        orders: A pipe from the parent: what to do, as `multiprocessing` pickles what it sends.
        number: Which of the workers this is.
        answers: A pipe to the parent: `("begun", "")` as each trial begins, then `("done", "")`,
            `("more", "")` or `("error", (kind, message))`.
    """
    sys.path[:] = path
    quiet_tensorflow()
    parent, interrupt = multiprocessing.parent_process(), Once()

    def keep_on() -> None:
        if interrupt.came or (parent is not None and not parent.is_alive()):
            raise KeyboardInterrupt  # nobody waits for this search any more

    try:
        interrupt.listen()
        with held_back():
            import tensorflow  # noqa: F401 - it talks while it is imported

        # Not from a file: from the process that started this one.
        what = pickle.loads(orders.recv_bytes())
        import keras

        keras.config.set_dtype_policy(what.dtype_policy)
        tuner = what.tuner(*what.args, **what.kwargs)
        tuner.oracle.worker = what.worker + number
        on_trial_begin = tuner.on_trial_begin

        def begun(trial: Any) -> None:
            answers.send(("begun", ""))
            on_trial_begin(trial)

        tuner.on_trial_begin = begun
        done = tuner._run_here(what.fit_args, what.fit_kwargs, what.callbacks, keep_on, what.most)
        answers.send(("done" if done else "more", ""))
    except KeyboardInterrupt:
        with suppress(OSError):
            answers.send(("done", ""))
    except BaseException as error:
        expected = isinstance(error, (RuntimeError, ValueError, TypeError, ImportError))
        said = str(error) if expected else traceback.format_exc()
        with suppress(OSError):
            answers.send(("error", (kind_of(error), said)))
        raise SystemExit(1) from None


def kind_of(error: BaseException) -> str:
    """Give the name of the built-in class that an error is of, as far as callers can tell."""
    for kind in (ValueError, TypeError, ImportError):
        if isinstance(error, kind):
            return kind.__name__
    return "RuntimeError"
