"""The documents that assets link to: model cards and drift reports. Belongs here: reading them from the lake, as files.

They lie in the lake, be that a folder or an object store, and are served as they were written.
"""

import re
from typing import Annotated, Final

from fastapi import APIRouter, Header, HTTPException, Response

from aivo_assets.lake import Lake

DOCUMENTS: Final = {"drift": "drift/reports", "main_brain": "main_brain/cards"}
"""What a document's address begins with, and the folder of the lake that it stands for."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9=_-]*\.html")


def documents(lake: Lake) -> APIRouter:
    """`GET /documents/{kind}/{name}`, for the documents of one lake."""
    router = APIRouter(include_in_schema=False)

    @router.api_route("/documents/{kind}/{name}", methods=["GET", "HEAD"])
    def document(kind: str, name: str, if_none_match: Annotated[str | None, Header()] = None) -> Response:
        folder = DOCUMENTS.get(kind)
        document = lake.storage.read(f"{folder}/{name}") if folder is not None and _NAME.fullmatch(name) else None
        if document is None:
            raise HTTPException(404, f"There is no document {kind}/{name}.")
        headers = {"ETag": f'"{document.tag}"', "Cache-Control": "no-cache"}
        if if_none_match == headers["ETag"]:
            return Response(status_code=304, headers=headers)
        return Response(document.content, media_type="text/html; charset=utf-8", headers=headers)

    return router
