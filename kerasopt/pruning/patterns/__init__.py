"""Patterns: in what shape weights go."""

from kerasopt.pruning.patterns.block import Block
from kerasopt.pruning.patterns.channel import Channel
from kerasopt.pruning.patterns.n_of_m import NM
from kerasopt.pruning.patterns.pattern import Pattern
from kerasopt.pruning.patterns.registry import deserialize, get, serialize
from kerasopt.pruning.patterns.weight import Weight

__all__ = ["NM", "Block", "Channel", "Pattern", "Weight", "deserialize", "get", "serialize"]
