"""Finds labels that a model which had not seen them contradicts."""
