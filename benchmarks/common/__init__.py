"""What several benchmarks need: rows that are kept, and cells of laboratories."""
