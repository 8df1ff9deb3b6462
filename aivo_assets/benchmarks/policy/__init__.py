"""What the policy is worth where the truth is known: the simulated school."""
