"""A maker of face swaps: one encoder shared by two people, a decoder and a critic for each.

After the autoencoder GAN known as faceswap-GAN (S. Lu, 2018), which grew from the first
"deepfakes" autoencoder. It makes fakes whose making is known, to train and to test detectors on.
"""
