"""Doubted labels for people: as a list, in their workbook, and what they corrected."""
