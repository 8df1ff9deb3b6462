"""Who chooses the next item in the simulated school: a teacher, assigned difficulty, an oracle. No learning."""
