"""From the stream of predictions to a proof, its grade, verdict and alerts, in words."""
