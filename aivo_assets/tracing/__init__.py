"""Knowledge tracing: from a learner's answers to the probability that the next one is correct.

The rooms in the order of the data: `fold/` (answers → features and states), `model/` (features → probabilities),
`judging/` (which model serves) and `card/` (what a version is, in plain words); and from `fold/` to `students/` (the
model of each learner). What a learner should do next is decided in `aivo_assets.adaptive`, not here.
"""
