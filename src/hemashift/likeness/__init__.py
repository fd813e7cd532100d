"""Which cells look alike, and which pictures show one and the same cell."""
