"""How quickly the running service answers. Belongs here: the load and its figures; the service is `aivo up`'s."""

from aivo_assets.exports import public

__getattr__, __all__ = public(__name__, {"load": ["LiveFigures", "measure_live"]})
