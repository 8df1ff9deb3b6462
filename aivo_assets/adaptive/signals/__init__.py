"""What a recommendation weighs: signals of a learner from their answers and student model. No decision."""
