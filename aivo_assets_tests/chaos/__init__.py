"""Faults, caused on purpose in real processes, and what heals them."""
