"""Web pages about learners. Belongs here: what stands on them; nothing is computed, and no file of the lake is read.

How a document becomes HTML is `aivo_assets.documents`; the page of a model version is `aivo_assets.tracing.card`.
"""
