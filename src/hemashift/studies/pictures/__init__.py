"""Study: maps of images and embeddings, each with numbers."""

from hemashift.studies.pictures.study import Pictures

__all__ = ["Pictures"]
