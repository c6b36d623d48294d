"""Whether a model can be trusted: figures with their intervals, the gain over simple methods, doubtful labels."""
