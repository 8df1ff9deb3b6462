"""Benchmarks that anyone can run on any file: `aivo benchmark …`. Functions that return numbers; no printing here.

A room for each question: `accuracy/`, `students/`, `policy/`, `validity/`, `drift/`. What several of them need (reading
of files, matching, the machine, a child process) lies beside them. Of the platform only the asset `policy_evaluation`
uses a benchmark.
"""
