"""Events to features: the fold over a learner's answers, its state, and the statistics it reads. No model."""
