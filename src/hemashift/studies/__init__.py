"""Every experiment, table and figure of the paper: one file a study, all behind one contract."""
