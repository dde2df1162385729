"""What the extra `tuner` brings, and what to say where it is missing."""

_NAMES = {
    "keras_tuner": "tuner",
    "optuna": "tuner",
    "sqlalchemy": "tuner",
    "alembic": "tuner",
    "tensorboard": "tuner",
    "sklearn": "tuner",
    "scipy": "tuner",
    "cmaes": "tuner",
    "psycopg": "postgres",
    "psycopg2": "postgres",
    "torch": "gp",
    "matplotlib": "plot",
}


def missing(error: ImportError) -> ImportError:
    """Give an error that says which extra brings what could not be imported.

    Args:
        error: The one that Python raised.

    Returns:
        A new one, or `error` itself where no extra of ours brings it.

    Example:
    >>> print(missing(ModuleNotFoundError("No module named 'optuna'", name="optuna")))
    This needs optuna, which the extra `tuner` brings: pip install 'kerasopt[tuner]'.
    """
    package = (error.name or "").split(".")[0]
    if package not in _NAMES:
        return error
    extra = _NAMES[package]
    return ImportError(
        f"This needs {package}, which the extra `{extra}` brings: pip install 'kerasopt[{extra}]'.",
        name=error.name,
    )
