"""Reading and rewriting a model's graph; weights always survive."""

from kerasopt.graph.graph import Graph
from kerasopt.graph.node import Level, Node, Port
from kerasopt.graph.rewrite import Rewrite

__all__ = ["Graph", "Level", "Node", "Port", "Rewrite"]
