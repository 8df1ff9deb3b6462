"""The student model of each learner: folded state, mastery with bands, and how it is kept and updated."""
