"""What a network answered, in the form in which people leaf through it: small, and quick to narrow and to order."""
