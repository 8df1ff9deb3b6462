"""Commands for whoever operates the platform: `up`, `settings`, `key`, `alerts`."""
