"""What to put into a model that overfits."""
