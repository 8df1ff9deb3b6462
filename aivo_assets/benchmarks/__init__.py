"""Benchmarks that anyone can run on any file: `aivo benchmark …`. Functions that return numbers; no printing here."""
