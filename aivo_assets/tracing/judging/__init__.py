"""Which model serves: evaluation, the promotion verdict, the registry, and the champion's shadow."""
