"""The read-out of each part of a fine-tuning: fitted once on frozen features, averaged with the network, calibrated."""
