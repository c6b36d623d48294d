"""Child runs: cross-validation and other seeds, what they come to, and whom they doubt."""
