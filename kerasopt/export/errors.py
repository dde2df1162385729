"""The error of an export that cannot be done, or whose file cannot be trusted."""

from kerasopt._core.errors import KerasoptError


class ExportError(KerasoptError, RuntimeError):
    """A model that cannot be exported, or a file that does not do what the model does.

    The message says what happened, the likeliest cause and what to do. Nothing was written, and an
    earlier file at the same path is as it was.
    """


class NotRunError(ExportError):
    """A file that was made and does not run.

    Attributes:
        said: What LiteRT said.
    """

    def __init__(self, message: str, said: str):
        super().__init__(message)
        self.said = said
