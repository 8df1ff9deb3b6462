"""Documents that people open: blocks of text, tables and pictures, and how they become HTML.

Belongs here: `Document` in its two forms, the templates (`templates/`) and `render`. What a model card, a report or a
learner's page says belongs to its own room.
"""

from aivo_assets.documents.document import Block, Bullets, Document, Paragraph, Picture, Section, Table
from aivo_assets.documents.rendering import data_url, render

__all__ = ["Block", "Bullets", "Document", "Paragraph", "Picture", "Section", "Table", "data_url", "render"]
