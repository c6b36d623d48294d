"""What is wrong with the cells of a column: found, named with its cell, and mended where a recipe says so."""
