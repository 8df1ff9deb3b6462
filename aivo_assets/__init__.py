"""AIVO training platform: knowledge tracing, student models and recommendations that train themselves."""
