"""Training a source model (needs the extra `train`); each step of it in a file of its name."""
