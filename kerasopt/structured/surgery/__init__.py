"""The model without the channels that go."""
