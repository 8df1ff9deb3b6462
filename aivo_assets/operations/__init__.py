"""Running the platform: the database server it brings along, and the alerts it sends. No knowledge of learners."""
