"""Boosted trees: fitting them, and walking them fast."""
