"""Ctrl-C as a graceful stop: the step is finished, then training ends as it always does."""

import signal
import threading
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

from kerasopt import _keras
from kerasopt._core.messages import tell


def _nothing() -> None:
    pass


class GracefulInterrupt:
    """Turn the first Ctrl-C during `fit` into `stop_training`; a second one aborts as usual.

    It takes the place of Python's own handler only: one that the user has set stays. After a `fit`
    that was broken off by an exception nothing tells a callback so; a Ctrl-C that comes when no
    `fit` of the model is running is handed on to Python's handler, which is then back for good.
    """

    def __init__(self) -> None:
        self.requested = False
        self._installed = False
        self._model: Any = None
        self._note: Callable[[], None] = _nothing

    def install(self, model: Any, note: Callable[[], None]) -> None:
        """Listen from now on.

        Args:
            model: The model that is about to train.
            note: Called at the first Ctrl-C.
        """
        self.requested = False
        self._note = note
        self._model = weakref.ref(model)
        if (
            threading.current_thread() is threading.main_thread()
            and signal.getsignal(signal.SIGINT) is signal.default_int_handler
        ):
            signal.signal(signal.SIGINT, self._handle)
            self._installed = True

    def remove(self) -> None:
        """Give Python its own handler back."""
        if self._installed and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        self._installed = False
        self._note = _nothing

    def _handle(self, number: int, frame: FrameType | None) -> None:
        model = self._model()
        if self.requested or model is None or _keras.running_fit(model, frame) is None:
            self.remove()
            signal.default_int_handler(number, frame)
        self.requested = True
        model.stop_training = True
        self._note()
        tell(
            "\nInterrupted: training stops after this step. Ctrl-C again aborts at once.",
        )
