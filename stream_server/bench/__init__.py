"""What ``fakelight bench`` runs."""
