"""From a source into the raw zone: events, learners and teachers' decisions, each row kept, set aside or counted.

What one value means belongs to `values/`, how a source is read to `sources/`.
"""
