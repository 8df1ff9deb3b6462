"""From the bytes of a file to a table of texts or typed columns, with an account of every line.

What a column means to the platform belongs to the sources.
"""
