"""What is done to batches of pictures on the device: crops, geometry, colour, masking, pairs of views.

Also how transformed pictures are drawn for people. Everything random comes from a generator that is handed in.
"""
