"""Workbooks that go back to people: new ones, and their own with columns added; how their rows are known again."""
