"""Models: encoders of single crops, heads over windows of features, and a registry of both."""
