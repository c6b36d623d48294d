"""What can be said of a checked table: classes, lengths, copies and near-copies, personal data, a quality score."""
