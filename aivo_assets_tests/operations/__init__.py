"""Running the platform: the embedded database and alerts."""
