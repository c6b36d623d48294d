"""Trains on a spreadsheet at a terminal, with the portal's own checks, division and trainer, but without a portal."""
