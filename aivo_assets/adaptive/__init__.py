"""What a learner should do next, and why.

The rooms in the order of a decision: `signals/` (what is weighed), `policy/` (which of the seven kinds), `advice/`
(reasons, content, expectation, and what came of them). `schema.py` has the datasets. No model is fitted here.
"""
