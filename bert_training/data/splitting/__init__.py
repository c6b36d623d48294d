"""Which row is for training, validation and test, and the manifests that say so; what belongs together stays so."""
