"""Several processes that run trials of one search, on this machine."""

import io
import multiprocessing
import multiprocessing.reduction
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import keras
import optuna

from kerasopt._core.checks import bad_value
from kerasopt.tuning.oracle import retry
from kerasopt.tuning.oracle.oracle import OptunaOracle
from kerasopt.tuning.storage.search_interrupt import deaf
from kerasopt.tuning.workers.worker_main import work

_GUARD = (
    "If the search is started at the top level of a script, put it under "
    '`if __name__ == "__main__":`, because a worker imports the script.'
)
_KINDS: dict[str, type[Exception]] = {
    "ValueError": ValueError,
    "TypeError": TypeError,
    "ImportError": ImportError,
    "RuntimeError": RuntimeError,
}
_LATE = 20.0  # seconds a worker has to end in good order after Ctrl-C
_AGAIN = 5.0  # seconds until it is told again, which it may not hear while it begins


@dataclass
class _Worker:
    process: Any
    answers: Any
    answer: Any = None
    number: int = 0


@dataclass
class _Order:
    """What a worker needs to know."""

    tuner: type[Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    callbacks: Any
    fit_args: tuple[Any, ...]
    fit_kwargs: dict[str, Any]
    most: int | None
    worker: int
    dtype_policy: str


def run_workers(
    tuner: Any,
    count: int,
    most: int | None,
    callbacks: Any,
    fit_args: tuple[Any, ...],
    fit_kwargs: dict[str, Any],
    progress: Callable[[], None] | None,
) -> None:
    """Run a search in processes of their own until it has all its trials.

    A process that is killed is followed by a new one; its trial is run again.

    Args:
        tuner: The tuner, whose constructor's arguments are what each worker makes its own with.
        count: How many processes.
        most: Trials after which a process is followed by a new one, or `None`.
        callbacks: As `Tuner.search` takes them.
        fit_args: Of `HyperModel.fit`.
        fit_kwargs: Of `HyperModel.fit`.
        progress: Called now and then.

    Raises:
        ValueError: If something cannot be given to another process.
        RuntimeError: If a worker ends before it can begin, or the search fails.
    """
    order = _order(tuner, callbacks, fit_args, fit_kwargs, most)
    check_sendable(order)
    oracle: OptunaOracle = tuner.oracle
    oracle.prepare()
    context = multiprocessing.get_context("spawn")
    threads = max(1, (os.cpu_count() or 1) // count) if count > 1 else None
    sent = _pickled(order)
    workers: list[_Worker] = []
    early = turns = 0
    try:
        # Each is among them as soon as it is there, also if Ctrl-C comes before the next one.
        workers.extend(_start(context, sent, number, threads) for number in range(count))
        while workers:
            time.sleep(0.1)
            turns += 1
            if progress is not None and turns % 10 == 0:
                progress()
            for worker in list(workers):
                ended = _look(worker)
                if not ended:
                    continue
                workers.remove(worker)
                answer: tuple[str, Any] = worker.answer or ("gone", "")
                kind, said = answer
                if kind == "error":
                    name, message = said
                    raise _KINDS[name](message)
                early = early + 1 if kind == "gone" else 0
                if early > count:
                    raise RuntimeError(
                        f"A worker ended (exit code {worker.process.exitcode}) before its first "
                        f"trial. {_GUARD}"
                    )
                if kind != "done":
                    workers.append(_start(context, sent, worker.number, threads))
        if progress is not None:
            progress()
    finally:
        if workers:
            _end(workers)
            # What one could not write down any more, as it was killed.
            with suppress(Exception):
                retry.give_up_the_dead(oracle.study, oracle._mine, oracle.watch)


def _order(tuner: Any, callbacks: Any, fit_args: Any, fit_kwargs: Any, most: int | None) -> _Order:
    if not isinstance(tuner.oracle, OptunaOracle):
        raise bad_value("workers", "1 with an oracle of KerasTuner's own", type(tuner.oracle))
    args, kwargs = tuner._made_with
    if kwargs.get("oracle") is not None:
        raise bad_value("workers", "1 with `oracle=`", "an oracle", "Give the tuner its arguments.")
    if isinstance(tuner.oracle.storage, optuna.storages.InMemoryStorage):
        raise bad_value(
            "workers",
            '1 with storage="memory", which processes cannot share',
            "memory",
            "Leave `storage` out: the journal file in the project's folder can be shared.",
        )
    kwargs = {**kwargs, "overwrite": False}
    first = 1000 * tuner.oracle.worker  # two searches of one seed draw different numbers
    policy = keras.config.dtype_policy().name
    return _Order(type(tuner), args, kwargs, callbacks, fit_args, fit_kwargs, most, first, policy)


def check_sendable(order: _Order) -> None:
    """Check, before a process is started, that it can be given everything.

    Raises:
        ValueError: If something cannot; the message names it.
    """
    parts = {"hypermodel": order.args[:1] or (order.kwargs.get("hypermodel"),)}
    parts |= {"callbacks": order.callbacks, "arguments of the tuner": (order.args, order.kwargs)}
    parts |= {f"argument {name!r} of search": one for name, one in order.fit_kwargs.items()}
    parts |= {f"argument {n + 1} of search": one for n, one in enumerate(order.fit_args)}
    main = sys.modules["__main__"]
    interactive = not hasattr(main, "__file__") and getattr(main, "__spec__", None) is None
    for name, part in parts.items():
        try:
            pickled = _pickled(part)
        except Exception as error:  # pickling runs the code of whatever is pickled
            raise _not_sendable(name, part, str(error)) from error
        if interactive and b"__main__" in pickled[:100_000]:
            raise _not_sendable(name, part, "it was made in a notebook or at a prompt")


def _pickled(thing: Any) -> bytes:
    buffer = io.BytesIO()
    multiprocessing.reduction.ForkingPickler(buffer, 5).dump(thing)
    return buffer.getvalue()


def _not_sendable(name: str, part: Any, why: str) -> ValueError:
    shown = part[0] if isinstance(part, tuple) and part else part
    if isinstance(shown, tuple):  # all arguments of the tuner: the URL of a storage is among them
        shown = [type(one).__name__ for one in shown] + sorted(part[1])
    return bad_value(
        name.split()[0] if " " not in name else name,
        "something that another process can import or be sent",
        shown,
        f"It cannot be ({why}). Write `build` and a factory of callbacks as functions of a module, "
        "such as my_models.py, not as lambdas, within functions or in a notebook, and import them; "
        "data as arrays, or made within `HyperModel.fit`; or take workers=1.",
    )


def _start(context: Any, order: bytes, number: int, threads: int | None) -> _Worker:
    receiver, sender = context.Pipe(duplex=False)
    orders, to_worker = context.Pipe(duplex=False)
    process = context.Process(
        target=work, args=(sys.path, orders, number, sender), name=f"kerasopt-worker-{number}"
    )
    with _environment(threads), deaf():
        process.start()
    sender.close()
    # With its end closed here, writing to a process that has ended is an error and not for ever;
    # and processes need not wait for each other's import to get their data.
    orders.close()
    threading.Thread(target=_send, args=(to_worker, order), daemon=True).start()
    return _Worker(process, receiver, number=number)


def _send(connection: Any, order: bytes) -> None:
    with suppress(OSError), connection:
        connection.send_bytes(order)


@contextmanager
def _environment(threads: int | None) -> Iterator[None]:
    """Let TensorFlow of a process that is started now take its share of the cores."""
    wanted = {} if threads is None else dict.fromkeys(
        ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"), str(threads)
    )  # fmt: skip
    wanted = {name: value for name, value in wanted.items() if name not in os.environ}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name in wanted:
            os.environ.pop(name, None)


def _look(worker: _Worker) -> bool:
    """Take what a worker has said; tell whether it has ended."""
    ended = not worker.process.is_alive()
    with suppress(EOFError, OSError):
        while worker.answers.poll():
            worker.answer = worker.answers.recv()
    return ended


def _end(workers: list[_Worker]) -> None:
    """End processes that are still there: in good order, else for good."""
    late = time.monotonic() + _LATE
    while workers and time.monotonic() < late:
        for worker in workers:
            with suppress(ProcessLookupError):
                os.kill(worker.process.pid, signal.SIGINT)
        again = min(late, time.monotonic() + _AGAIN)
        for worker in workers:
            worker.process.join(max(0.0, again - time.monotonic()))
        workers = [worker for worker in workers if worker.process.is_alive()]
    for worker in workers:
        worker.process.kill()
        worker.process.join()
