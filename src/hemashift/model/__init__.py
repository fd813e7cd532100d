"""The model: its file, its networks (training) and its CPU runtime (classifying)."""
