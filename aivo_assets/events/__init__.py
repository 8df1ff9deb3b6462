"""Events in: the schema, the sources, what is kept and what is set aside. Everything here is in the raw zone."""
