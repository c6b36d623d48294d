"""The worker against a real local portal and as real processes."""
