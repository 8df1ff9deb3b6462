"""What stands on a page, as plain values. Belongs here: reading the newest rows of a class, a learner or a school.

Only the rows that a page shows are read. No HTML, no words of a language, no names: people are pseudonyms here.
"""
