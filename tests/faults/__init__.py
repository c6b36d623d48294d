"""Faults (F-01 to F-60): what is injected, and what must hold afterwards."""
