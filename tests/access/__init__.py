"""Who gets how far at every address: the matrix of routes, callers and verbs, made from the URL configuration."""
