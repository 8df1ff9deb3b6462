"""Drift: scores, verdicts, reports."""
