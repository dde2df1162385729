"""An oracle of KerasTuner on a study of Optuna: ask, tell, ownership."""
