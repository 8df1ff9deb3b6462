"""When something happened: from what a source wrote to instants in UTC.

`reading.py` says how a column is read and reads it, `written.py` knows the forms of dates and times in text,
`counted.py` what numbers count, `zones.py` the names of time zones, and `survey.py` looks at a whole column and decides
how it is to be read, or that nobody can know. A unit, an order of day and month, or a zone is never guessed silently.
"""
