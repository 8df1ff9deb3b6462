"""What a check of many learners costs, how honest bands are, and what personal parameters add."""
