"""The one error for what a person at a terminal has to change: an option, the spreadsheet, the folder."""


class LocalRefused(Exception):
    """The message says what is wrong, where, and what to do."""
