"""Knowledge tracing: the fold over a learner's events, the main brain that reads it, student models. No decisions here.

The order of the data: `statistics` (how hard are items) → `features` (one row per event, one state per learner) →
`main_brain` → `student_models`.
"""
