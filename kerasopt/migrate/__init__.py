"""From tensorflow-model-optimization and Keras 2 to kerasopt and Keras 3."""

from kerasopt.migrate.tfmot import MigrationError, from_tfmot

__all__ = ["MigrationError", "from_tfmot"]
