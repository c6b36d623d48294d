"""Reports of finished runs for people who decide: written once as blocks, told as HTML, Markdown or PDF."""
