"""Watching the models: how far each has moved from what it was when it became champion, and what to do about it."""
