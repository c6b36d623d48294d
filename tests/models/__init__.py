"""Tests of the database rules: what a row can never be."""
