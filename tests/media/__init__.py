"""Media as people have them: each case is a kind that hid a fake, or could have."""
