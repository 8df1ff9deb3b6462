"""Alerts: their rules, folding, outbox and channels."""
