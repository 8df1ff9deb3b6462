"""Assets of student models: the states of learners, their models, and how wide honest bands are."""
