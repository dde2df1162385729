"""What Optuna tries next: samplers, pruners, no configuration twice."""
