"""Parameters, multiplications and activation memory of a model, layer by layer."""

from kerasopt.profile.api import Count, LayerCount, count

__all__ = ["Count", "LayerCount", "count"]
