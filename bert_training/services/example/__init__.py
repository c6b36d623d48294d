"""The example run of a fresh portal: what a real training has given, kept as a file, and how it comes into a portal."""
