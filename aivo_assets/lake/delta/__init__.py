"""Datasets as Delta tables, for programs that know nothing of this lake. Belongs here: their logs; no rows are written.

A table lies where its dataset does: its log is `<lake>/<dataset>/_delta_log`, its files are the lake's own.
"""

from aivo_assets.lake.delta.publishing import DeltaTable, publish, standing, unpublish

__all__ = ["DeltaTable", "publish", "standing", "unpublish"]
