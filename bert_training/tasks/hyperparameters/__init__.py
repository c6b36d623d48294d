"""One declaration of the hyperparameters for form, API, OpenAPI and worker."""
