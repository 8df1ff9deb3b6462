"""The simulated school and its source."""
