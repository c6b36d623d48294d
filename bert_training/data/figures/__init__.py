"""Every figure of a model, from its predictions alone; the same code for worker, portal and report."""
