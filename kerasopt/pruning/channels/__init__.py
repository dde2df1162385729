"""Channels: which are tied, what they cost, which go, and the model without them."""
