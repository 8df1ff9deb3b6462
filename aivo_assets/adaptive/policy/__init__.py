"""Which of the seven kinds fits a learner. Belongs here: rules, levels, prerequisites, overrides; no texts."""
