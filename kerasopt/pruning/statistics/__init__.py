"""What criteria need of data: gradients and activations over batches."""
