"""Training for Fakelight: from raw videos to calibrated members in the model repository."""
