"""The errors and warnings of kerasopt: one base each."""


class KerasoptError(Exception):
    """The base of the errors that are kerasopt's own.

    Wrong arguments are `TypeError` or `ValueError`, as in Keras, and not of this class.
    """


class KerasoptWarning(UserWarning):
    """The category of every warning of kerasopt; it points at the user's line.

    Example:
    >>> import warnings
    >>> warnings.filterwarnings("ignore", category=KerasoptWarning)  # all of them
    """
