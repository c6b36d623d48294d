"""Draws pictures that leave the portal: in notifications, reports, downloads. Numbers and names of figures only."""
