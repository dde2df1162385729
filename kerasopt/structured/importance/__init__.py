"""How important each channel is."""
