"""What targets mean, what is decided before training, the one loop over epochs, and what goes on in a stream."""
