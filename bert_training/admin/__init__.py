"""The staff's door: one module a model. Effects go through services; site.py lists what the site shows."""
