"""What a learner should do next, and why: levels, signals, the policy and the words for it."""
