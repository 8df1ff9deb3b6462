"""The model card: what a version is for, how good it is, for whom, in plain words."""
