"""Penalties, constraints, dropout and a teacher for models that exist."""

from kerasopt.distillation.distiller import Distiller
from kerasopt.distillation.loss import distillation_loss
from kerasopt.regularization.constraint import add_constraint, remove_constraint
from kerasopt.regularization.dropout.insertion import insert_dropout
from kerasopt.regularization.dropout.removal import freeze_dropout, remove_dropout
from kerasopt.regularization.penalty import add_penalty, remove_penalty
from kerasopt.regularization.penalty_report import Penalties, penalties

__all__ = [
    "Distiller",
    "Penalties",
    "add_constraint",
    "add_penalty",
    "distillation_loss",
    "freeze_dropout",
    "insert_dropout",
    "penalties",
    "remove_constraint",
    "remove_dropout",
    "remove_penalty",
]
