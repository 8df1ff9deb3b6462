"""The search for hyper-parameters, within a budget, on a sample of learners."""
