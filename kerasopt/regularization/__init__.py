"""Penalties, constraints and dropout for models that exist."""

from kerasopt.regularization.constraint import add_constraint, remove_constraint
from kerasopt.regularization.dropout.insertion import insert_dropout
from kerasopt.regularization.dropout.removal import freeze_dropout, remove_dropout
from kerasopt.regularization.penalty import add_penalty, remove_penalty
from kerasopt.regularization.penalty_report import Penalties, penalties

__all__ = [
    "Penalties",
    "add_constraint",
    "add_penalty",
    "freeze_dropout",
    "insert_dropout",
    "penalties",
    "remove_constraint",
    "remove_dropout",
    "remove_penalty",
]
