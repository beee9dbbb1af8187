"""What the scores are before there is a network."""
