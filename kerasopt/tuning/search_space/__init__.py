"""KerasTuner's hyperparameters as Optuna's distributions."""
