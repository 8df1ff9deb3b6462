"""What is read, in the reader's words. Belongs here: sentences about a class or a learner; no HTML, nothing is read."""
