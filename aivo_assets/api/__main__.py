"""Serves the app; started by `aivo up`, which starts it again where it ends."""

import os
import sys
import threading

# Many small questions at once: handing each to threads of polars costs more than it saves. Read when polars is loaded.
os.environ.setdefault("POLARS_MAX_THREADS", "1")

import uvicorn

from aivo_assets.api.app import build_app
from aivo_assets.errors import AivoError
from aivo_assets.operations.doors import close_doors
from aivo_assets.settings import load_settings

if __name__ == "__main__":
    try:
        settings = load_settings()
        for sentence in close_doors(settings):
            print(sentence, file=sys.stderr)  # noqa: T201 - the log of the service
        app = build_app(settings)
    except AivoError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the log of the service
        sys.exit(error.exit_code)
    threading.Thread(target=app.state.live.warm, daemon=True).start()
    uvicorn.run(app, host=settings.api.host, port=settings.api.port, log_level="warning")
