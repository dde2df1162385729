"""What `verbose` lets kerasopt say: by the logger `kerasopt`, to standard output."""

import logging
import sys


class _Stdout(logging.Handler):
    """Writes to the standard output of the moment, which notebooks and tests replace."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stdout.write(f"{self.format(record)}\n")
        sys.stdout.flush()


logger = logging.getLogger("kerasopt")
"""The logger of kerasopt: `logging.getLogger("kerasopt").setLevel("WARNING")` makes it quiet."""

if not logger.handlers:
    logger.addHandler(_Stdout())
    logger.setLevel(logging.INFO)
    logger.propagate = False


def tell(message: object) -> None:
    """Say something that the user has asked for by `verbose`."""
    logger.info("%s", message)
