"""Penalties and dropout for models that exist."""

from kerasopt.regularization.insertion import insert_dropout
from kerasopt.regularization.penalty import add_penalty, remove_penalty

__all__ = ["add_penalty", "insert_dropout", "remove_penalty"]
