"""The words of the pages, one catalogue a language. Belongs here: sentences and how they are filled; no markup."""

from aivo_assets.pages.texts.catalogue import LANGUAGES, Texts, load_texts

__all__ = ["LANGUAGES", "Texts", "load_texts"]
