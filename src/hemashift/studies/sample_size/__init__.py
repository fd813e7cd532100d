"""Study: how many labels are needed."""

from hemashift.studies.sample_size.study import SampleSize

__all__ = ["SampleSize"]
