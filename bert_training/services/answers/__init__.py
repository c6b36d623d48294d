"""What networks answered, row by row: lists to leaf through, and several runs side by side."""
