"""Export beside TensorFlow's and Keras's own."""
