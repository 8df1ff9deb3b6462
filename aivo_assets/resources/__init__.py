"""What assets are given: plain objects built from settings. Dagster meets them here, the objects never know Dagster."""
