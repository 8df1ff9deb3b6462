"""What a learner is told: recommendations with evidence, content and words, and what came of them.

Which of the seven kinds fits is decided in `policy/`.
"""
