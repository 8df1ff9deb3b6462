"""The pages over HTTP. Belongs here: addresses, forms, who looks, headers; sentences and rows are made elsewhere."""

from aivo_assets.pages.serving.audience import Audience, LocalAudience, Viewer
from aivo_assets.pages.serving.routes import pages

__all__ = ["Audience", "LocalAudience", "Viewer", "pages"]
