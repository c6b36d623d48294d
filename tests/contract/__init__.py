"""Protocol 1 as it was spoken once: recorded/ holds what a worker sent and a portal answered, and never changes."""
