"""Texts of CSV files, written so that no spreadsheet program takes one for a formula."""

_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def harmless(text: str) -> str:
    """Put an apostrophe before a text that would be a formula; any other stays as it is."""
    return f"'{text}" if text.startswith(_SIGNS) else text
