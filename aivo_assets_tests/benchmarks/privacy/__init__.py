"""Attacks of the privacy benchmark, on data whose leak is known."""
