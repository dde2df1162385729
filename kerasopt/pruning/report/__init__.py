"""How sparse a model is, and what that gives."""
