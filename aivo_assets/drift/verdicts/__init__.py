"""What follows from scores: drifted or not, and whether a training is needed."""
