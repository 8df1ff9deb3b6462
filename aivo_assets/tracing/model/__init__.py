"""Features to probabilities: the main brain, its training, calibration, search and stored form."""
