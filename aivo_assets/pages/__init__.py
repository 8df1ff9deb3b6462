"""Web pages for people. Belongs here: templates and what fills them; no decision and no query of the lake's files."""
