"""Augmentation: self-blending, what delivery does to a picture, and where the crop is cut."""
