"""Tests of the training library: a real tiny BERT on disk, on the CPU, without network access."""
