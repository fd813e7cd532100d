"""The pages and what they ask for: a file a step of the work."""
