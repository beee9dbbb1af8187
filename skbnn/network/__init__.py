"""The trainable half: float32 latent weights, their binarization, and the passes of a mini-batch."""
