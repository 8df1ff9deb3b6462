"""Events: schema, sources, landing."""
