"""Draws charts as pictures (SVG) for pages and admin: Python says where each piece is, a template only prints it."""
