"""The lake: where every dataset is kept. Belongs here: paths, manifests, atomic writes; no knowledge of the columns.

`Dataset` says what a dataset is called and what is replaced as a whole; `Lake` reads and writes it. Each stage
declares its own datasets beside its schema. To record the version of what was read, use `read`. `Layers` keeps what
changes a little and often.
"""

from aivo_assets.lake.commits.layers import Layered, Layers
from aivo_assets.lake.commits.manifest import Written
from aivo_assets.lake.commits.staging import Staged
from aivo_assets.lake.dataset import Dataset
from aivo_assets.lake.opening import open_lake
from aivo_assets.lake.reading import Reading, read
from aivo_assets.lake.storage.swapping import ConflictError
from aivo_assets.lake.store import Lake

__all__ = [
    "ConflictError",
    "Dataset",
    "Lake",
    "Layered",
    "Layers",
    "Reading",
    "Staged",
    "Written",
    "open_lake",
    "read",
]
