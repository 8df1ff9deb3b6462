"""The HTTP door of the platform. Belongs here: what is served and to whom; it knows neither Dagster nor models."""
