"""HTML pages for people: parse, ask access.py, call one service, render. Logic lives below, templates only print."""
