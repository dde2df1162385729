"""Which Keras layer an operation of a file comes from."""
