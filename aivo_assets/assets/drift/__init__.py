"""Assets of drift: the reference a champion promised, the verdict and the report."""
