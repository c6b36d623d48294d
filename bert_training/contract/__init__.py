"""What crosses the wire between portal and worker: messages, closed lists, limits. Imports nothing of ours."""
