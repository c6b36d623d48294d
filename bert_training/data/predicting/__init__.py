"""What a model answered for each row: in memory, on the wire, in a file."""
