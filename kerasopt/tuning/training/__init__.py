"""How one trial is trained."""
