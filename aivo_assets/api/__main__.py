"""Serves the app; started by `aivo up`."""

import uvicorn

from aivo_assets.api.app import build_app
from aivo_assets.settings import load_settings

if __name__ == "__main__":
    settings = load_settings()
    uvicorn.run(build_app(settings), host=settings.api.host, port=settings.api.port, log_level="warning")
