"""From a stranger's file of any format to a Sheet: its kind, whether it is safe, its rows and what is odd there."""
