"""Which channels of a model depend on each other: the dependency graph and its rules."""
