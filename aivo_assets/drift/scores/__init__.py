"""How much was lost since promotion. Belongs here: samples, cohorts, measures and scores; no decision."""
