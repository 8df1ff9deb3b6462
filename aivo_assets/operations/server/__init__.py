"""What `aivo up` needs around Dagster: a PostgreSQL server, its account, and a clock that can run fast."""
