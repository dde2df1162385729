"""Knowledge distillation: a student learns from the labels and from a teacher, in a plain `fit`."""

from kerasopt.distillation.distiller import OutputDistiller
from kerasopt.distillation.loss import distillation_loss

__all__ = ["OutputDistiller", "distillation_loss"]
