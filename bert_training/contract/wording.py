"""Marks a sentence for translation where Django must not be imported; the portal translates it when it is shown."""


def gettext_noop(message: str) -> str:
    """Return the sentence unchanged; `makemessages` finds it by this function's name."""
    return message
