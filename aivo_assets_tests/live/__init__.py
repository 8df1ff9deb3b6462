"""Tests of `aivo_assets.live`, on a real PostgreSQL."""
