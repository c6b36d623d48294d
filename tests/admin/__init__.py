"""Tests of the admin: what staff see and can do there."""
