"""Assets of decisions: recommendations, what teachers override, and what came of earlier advice."""
