"""Compares two runs: is it the same result, and if not, why?"""
