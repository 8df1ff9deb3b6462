"""The benchmark of groups."""
