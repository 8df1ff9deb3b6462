"""The HTTP service: health, and the documents that assets link to. Triggers and status come with the control plane."""

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel
from upath import UPath

from aivo_assets.lake import Lake
from aivo_assets.settings import Settings

DOCUMENTS = {"drift": "drift/reports", "main_brain": "main_brain/cards"}


class Health(BaseModel):
    """Whether the service answers, and what it serves.

    Attributes:
        status: `ok`.
        documents: Kinds of documents below `/documents`.
    """

    status: str
    documents: list[str]


def build_app(settings: Settings) -> FastAPI:
    """The service over one lake.

    Only folders of documents are served, never data: a report holds no learner.
    """
    lake = Lake(settings.lake_url, shards=settings.lake.shards)
    app = FastAPI(title="AIVO", description="Health and documents of the AIVO training platform.")

    @app.get("/health")
    def health() -> Health:
        """Whether the service answers."""
        return Health(status="ok", documents=sorted(DOCUMENTS))

    for name, folder in DOCUMENTS.items():
        root: UPath = lake.root / folder
        app.mount(f"/documents/{name}", StaticFiles(directory=str(root), check_dir=False), name=name)
    return app


def document_url(settings: Settings, kind: str, name: str) -> str:
    """Where a browser finds a document while `aivo up` runs."""
    return f"http://{settings.api.host}:{settings.api.port}/documents/{kind}/{name}"
