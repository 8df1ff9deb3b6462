"""Warehouse: the published lake, the marts, the manifest."""
