"""Dagster's runs: run in this process, tried again, ended, explained, removed. When work is due is not known here."""
