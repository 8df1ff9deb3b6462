"""Web pages for people: teachers, learners, parents, heads and those who run the platform.

Belongs here: what stands on a page (`reading/`), how it is said (`saying/`) in every language (`texts/`), its HTML
(`templates/`), and the addresses under which it is served (`serving/`). Nothing is decided here and no model is asked.
How a self-contained document becomes HTML is `aivo_assets.documents`; the page of a model version is
`aivo_assets.tracing.card`.
"""
