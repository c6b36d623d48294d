"""Tells people and programs what happened: noted with the change itself, announced and sent in the background."""
