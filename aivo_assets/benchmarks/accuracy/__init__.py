"""How well the main brain predicts on a file, beside baselines, with a leak audit; and what training it costs."""
